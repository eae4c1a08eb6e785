# Generated from deploy/iam by `npm run generate`: do not edit.

data "aws_iam_policy_document" "worker" {
  statement {
    sid = "TakeUpdates"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
    ]
  }

  statement {
    sid = "SendLettersAndOutcomes"
    actions = [
      "sqs:SendMessage",
      "sqs:GetQueueAttributes",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "UpdateTasks"
    actions = [
      "iotmanagedintegrations:UpdateOtaTask",
    ]
    resources = [
      "arn:${local.partition}:iotmanagedintegrations:${local.region}:${local.account}:ota-task/*",
    ]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [1]
    content {
      sid = "EncryptedQueues"
      actions = [
        "kms:Decrypt",
        "kms:GenerateDataKey",
      ]
      resources = [
        "arn:${local.partition}:kms:${local.region}:${local.account}:key/${local.key_id}",
      ]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${local.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_iam_policy_document" "enqueuer" {
  statement {
    sid = "SendUpdates"
    actions = [
      "sqs:SendMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
    ]
  }

  statement {
    sid = "TakeOutcomes"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "CheckQueues"
    actions = [
      "sqs:GetQueueAttributes",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "ReadTasks"
    actions = [
      "iotmanagedintegrations:GetOtaTask",
      "iotmanagedintegrations:ListOtaTaskExecutions",
    ]
    resources = [
      "arn:${local.partition}:iotmanagedintegrations:${local.region}:${local.account}:ota-task/*",
    ]
  }

  statement {
    sid = "FindTasks"
    actions = [
      "iotmanagedintegrations:ListOtaTasks",
    ]
    resources = [
      "*",
    ]
  }

  dynamic "statement" {
    for_each = var.report_bucket == null ? [] : [1]
    content {
      sid = "FileReports"
      actions = [
        "s3:PutObject",
        "s3:AbortMultipartUpload",
      ]
      resources = [
        "arn:${local.partition}:s3:::${var.report_bucket}/*",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.notify_topic_arn == null ? [] : [1]
    content {
      sid = "NotifyTopic"
      actions = [
        "sns:Publish",
      ]
      resources = [
        "arn:${local.partition}:sns:${local.region}:${local.account}:${local.notify_topic}",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.notify_event_bus == null ? [] : [1]
    content {
      sid = "NotifyBus"
      actions = [
        "events:PutEvents",
      ]
      resources = [
        "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/${var.notify_event_bus}",
      ]
    }
  }

  statement {
    sid = "ReadConfigurations"
    actions = [
      "iotmanagedintegrations:GetOtaTaskConfiguration",
      "iotmanagedintegrations:ListOtaTaskConfigurations",
    ]
    resources = [
      "*",
    ]
  }

  statement {
    sid = "CreateConfigurations"
    actions = [
      "iotmanagedintegrations:CreateOtaTaskConfiguration",
    ]
    resources = [
      "*",
    ]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [1]
    content {
      sid = "EncryptedQueues"
      actions = [
        "kms:Decrypt",
        "kms:GenerateDataKey",
      ]
      resources = [
        "arn:${local.partition}:kms:${local.region}:${local.account}:key/${local.key_id}",
      ]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${local.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_iam_policy_document" "operator" {
  statement {
    sid = "HandleLetters"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
    ]
  }

  statement {
    sid = "PutLettersBack"
    actions = [
      "sqs:SendMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
    ]
  }

  statement {
    sid = "CheckQueues"
    actions = [
      "sqs:GetQueueAttributes",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "ReadTasks"
    actions = [
      "iotmanagedintegrations:GetOtaTask",
    ]
    resources = [
      "arn:${local.partition}:iotmanagedintegrations:${local.region}:${local.account}:ota-task/*",
    ]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [1]
    content {
      sid = "EncryptedQueues"
      actions = [
        "kms:Decrypt",
        "kms:GenerateDataKey",
      ]
      resources = [
        "arn:${local.partition}:kms:${local.region}:${local.account}:key/${local.key_id}",
      ]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${local.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_iam_policy_document" "console" {
  statement {
    sid = "SendUpdates"
    actions = [
      "sqs:SendMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
    ]
  }

  statement {
    sid = "TakeOutcomes"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "HandleLetters"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
    ]
  }

  statement {
    sid = "CheckQueues"
    actions = [
      "sqs:GetQueueAttributes",
    ]
    resources = [
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.updates.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.dead_letters.name}",
      "arn:${local.partition}:sqs:${local.region}:${local.account}:${aws_sqs_queue.outcomes.name}",
    ]
  }

  statement {
    sid = "ReadTasks"
    actions = [
      "iotmanagedintegrations:GetOtaTask",
    ]
    resources = [
      "arn:${local.partition}:iotmanagedintegrations:${local.region}:${local.account}:ota-task/*",
    ]
  }

  statement {
    sid = "FindTasks"
    actions = [
      "iotmanagedintegrations:ListOtaTasks",
    ]
    resources = [
      "*",
    ]
  }

  dynamic "statement" {
    for_each = var.report_bucket == null ? [] : [1]
    content {
      sid = "FileReports"
      actions = [
        "s3:PutObject",
        "s3:AbortMultipartUpload",
      ]
      resources = [
        "arn:${local.partition}:s3:::${var.report_bucket}/*",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.notify_topic_arn == null ? [] : [1]
    content {
      sid = "NotifyTopic"
      actions = [
        "sns:Publish",
      ]
      resources = [
        "arn:${local.partition}:sns:${local.region}:${local.account}:${local.notify_topic}",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.notify_event_bus == null ? [] : [1]
    content {
      sid = "NotifyBus"
      actions = [
        "events:PutEvents",
      ]
      resources = [
        "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/${var.notify_event_bus}",
      ]
    }
  }

  statement {
    sid = "ReadConfigurations"
    actions = [
      "iotmanagedintegrations:GetOtaTaskConfiguration",
    ]
    resources = [
      "*",
    ]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [1]
    content {
      sid = "EncryptedQueues"
      actions = [
        "kms:Decrypt",
        "kms:GenerateDataKey",
      ]
      resources = [
        "arn:${local.partition}:kms:${local.region}:${local.account}:key/${local.key_id}",
      ]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${local.region}.amazonaws.com"]
      }
    }
  }
}
