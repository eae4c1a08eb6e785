data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account      = data.aws_caller_identity.this.account_id
  partition    = data.aws_partition.this.partition
  region       = data.aws_region.this.name
  key_id       = try(split("/", var.kms_key_arn)[1], null)
  notify_topic = try(element(split(":", var.notify_topic_arn), 5), null)
  suffix       = var.fifo ? ".fifo" : ""
  console      = var.console != null
  oidc         = try(var.console.oidc, null) != null
  queues = {
    updates      = aws_sqs_queue.updates
    dead_letters = aws_sqs_queue.dead_letters
    outcomes     = aws_sqs_queue.outcomes
  }
}

resource "aws_sqs_queue" "updates" {
  name                       = "${var.name}-updates${local.suffix}"
  fifo_queue                 = var.fifo
  message_retention_seconds  = 1209600
  max_message_size           = 1048576
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 30
  kms_master_key_id          = var.kms_key_arn
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null

  # The worker dead-letters by itself. Without a policy AWS's own redrive refuses the queue; this one never fires.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 1000
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters${local.suffix}"
  fifo_queue                = var.fifo
  message_retention_seconds = 1209600
  max_message_size          = 1048576
  receive_wait_time_seconds = 20
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
}

# Outcomes need no order.
resource "aws_sqs_queue" "outcomes" {
  name                      = "${var.name}-outcomes"
  message_retention_seconds = 1209600
  max_message_size          = 1048576
  receive_wait_time_seconds = 20
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
}

data "aws_iam_policy_document" "only_encrypted_connections" {
  for_each = local.queues

  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each = local.queues

  queue_url = each.value.url
  policy    = data.aws_iam_policy_document.only_encrypted_connections[each.key].json
}
