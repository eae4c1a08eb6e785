output "queue_url" {
  value = aws_sqs_queue.updates.url
}

output "dead_letter_queue_url" {
  value = aws_sqs_queue.dead_letters.url
}

output "outcome_queue_url" {
  value = aws_sqs_queue.outcomes.url
}

output "enqueuer_role_arn" {
  value = aws_iam_role.enqueuer.arn
}

output "operator_role_arn" {
  value = aws_iam_role.operator.arn
}

output "worker_log" {
  value = aws_cloudwatch_log_group.worker.name
}

output "console_address" {
  value = one([for each in aws_lb.console : "https://${each.dns_name}"])
}

output "ledger_url" {
  value = local.ledger_url
}

output "ledger_secret_arn" {
  value = one(aws_secretsmanager_secret.ledger[*].arn)
}
