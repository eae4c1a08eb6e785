data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "people" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = length(var.people) > 0 ? var.people : ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }
}

resource "aws_iam_role" "worker" {
  name_prefix        = "${var.name}-worker-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "worker" {
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

resource "aws_iam_role" "enqueuer" {
  name_prefix        = "${var.name}-enqueuer-"
  description        = "ota-updater enqueuer"
  assume_role_policy = data.aws_iam_policy_document.people.json
}

resource "aws_iam_role_policy" "enqueuer" {
  role   = aws_iam_role.enqueuer.id
  policy = data.aws_iam_policy_document.enqueuer.json
}

resource "aws_iam_role" "operator" {
  name_prefix        = "${var.name}-operator-"
  description        = "ota-updater operator"
  assume_role_policy = data.aws_iam_policy_document.people.json
}

resource "aws_iam_role_policy" "operator" {
  role   = aws_iam_role.operator.id
  policy = data.aws_iam_policy_document.operator.json
}

resource "aws_iam_role" "console" {
  count = local.console ? 1 : 0

  name_prefix        = "${var.name}-console-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

data "aws_iam_policy_document" "console_task" {
  count = local.console ? 1 : 0

  source_policy_documents = [data.aws_iam_policy_document.console.json]

  statement {
    actions = [
      "elasticfilesystem:ClientMount",
      "elasticfilesystem:ClientWrite",
    ]
    resources = [aws_efs_file_system.state[0].arn]
  }
}

resource "aws_iam_role_policy" "console" {
  count = local.console ? 1 : 0

  role   = aws_iam_role.console[0].id
  policy = data.aws_iam_policy_document.console_task[0].json
}

# What ECS itself needs to start the containers: image, log, secrets.
data "aws_iam_policy_document" "worker_execution" {
  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:GetDownloadUrlForLayer",
      "ecr:BatchGetImage",
    ]
    resources = [var.image_repository_arn]
  }

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]
    resources = ["${aws_cloudwatch_log_group.worker.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.valkey ? [1] : []
    content {
      actions = [
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
      ]
      resources = [aws_secretsmanager_secret.valkey_url[0].arn]
    }
  }
}

resource "aws_iam_role" "worker_execution" {
  name_prefix        = "${var.name}-worker-execution-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "worker_execution" {
  role   = aws_iam_role.worker_execution.id
  policy = data.aws_iam_policy_document.worker_execution.json
}

data "aws_iam_policy_document" "console_execution" {
  count = local.console ? 1 : 0

  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:GetDownloadUrlForLayer",
      "ecr:BatchGetImage",
    ]
    resources = [var.image_repository_arn]
  }

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]
    resources = ["${aws_cloudwatch_log_group.console[0].arn}:*"]
  }

  statement {
    actions = [
      "secretsmanager:GetSecretValue",
      "secretsmanager:DescribeSecret",
    ]
    resources = concat(
      [aws_secretsmanager_secret.ledger[0].arn],
      var.console.tokens_secret_arn == null ? [] : [var.console.tokens_secret_arn],
    )
  }
}

resource "aws_iam_role" "console_execution" {
  count = local.console ? 1 : 0

  name_prefix        = "${var.name}-console-execution-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "console_execution" {
  count = local.console ? 1 : 0

  role   = aws_iam_role.console_execution[0].id
  policy = data.aws_iam_policy_document.console_execution[0].json
}
