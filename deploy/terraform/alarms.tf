# What SQS says of the queues, and what workers say of themselves with METRICS=emf (docs/watching.md).

locals {
  told = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "oldest_update" {
  alarm_name          = "${var.name}-OldestUpdate"
  alarm_description   = "More updates come in than the rate lets out, or none goes through."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = var.too_old_seconds
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    QueueName = aws_sqs_queue.updates.name
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-DeadLetters"
  alarm_description   = "Updates were given up: ota-updater dead-letters list --group"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    QueueName = aws_sqs_queue.dead_letters.name
  }
}

resource "aws_cloudwatch_metric_alarm" "calls_paused" {
  alarm_name          = "${var.name}-CallsPaused"
  alarm_description   = "The gate is closed: calls are paused for a cause that is not in the messages. /readyz and the log say which."
  namespace           = "OtaUpdater"
  metric_name         = "CallsPaused"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    Queue = aws_sqs_queue.updates.name
  }
}

resource "aws_cloudwatch_metric_alarm" "poll_stalled" {
  alarm_name          = "${var.name}-PollStalled"
  alarm_description   = "A worker wants messages, and no poll has ended for a minute."
  namespace           = "OtaUpdater"
  metric_name         = "PollStalled"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 60
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    Queue = aws_sqs_queue.updates.name
  }
}

resource "aws_cloudwatch_metric_alarm" "retention_used" {
  alarm_name          = "${var.name}-RetentionUsed"
  alarm_description   = "Updates are half as old as the queue keeps them; at 0.9 they are dead-lettered."
  namespace           = "OtaUpdater"
  metric_name         = "RetentionUsed"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0.5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    Queue = aws_sqs_queue.updates.name
  }
}

resource "aws_cloudwatch_metric_alarm" "workers_silent" {
  alarm_name          = "${var.name}-WorkersSilent"
  alarm_description   = "No worker writes metrics: none runs, or METRICS is not emf."
  namespace           = "OtaUpdater"
  metric_name         = "HeldMessages"
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.told
  ok_actions          = local.told

  dimensions = {
    Queue = aws_sqs_queue.updates.name
  }
}
