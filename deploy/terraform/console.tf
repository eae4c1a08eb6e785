resource "aws_service_discovery_private_dns_namespace" "this" {
  count = local.console ? 1 : 0

  name = "${var.name}.internal"
  vpc  = var.vpc_id
}

resource "aws_service_discovery_service" "worker" {
  count = local.console ? 1 : 0

  name = "worker"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this[0].id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_cloudwatch_log_group" "console" {
  count = local.console ? 1 : 0

  name_prefix       = "${var.name}-console-"
  retention_in_days = 30
}

locals {
  console_environment = {
    CONSOLE_HOST            = "0.0.0.0"
    CONSOLE_HOSTS           = try(var.console.host_name, null)
    CONSOLE_TRUSTED_PROXIES = try(var.console.vpc_cidr, null)
    WORKER_URLS             = "http://worker.${var.name}.internal:8080"
    LEDGER_URL              = local.ledger_url
    STATE_DIR               = "/var/lib/ota-updater"
  }
  console_environment_with_oidc = {
    CONSOLE_IDENTITY_ALB_ARN = try(aws_lb.console[0].arn, null)
    CONSOLE_OPERATORS        = try(join(",", var.console.operators), null)
  }
  console_environment_by_choice = {
    NOTIFY_TOPIC_ARN = var.notify_topic_arn
    NOTIFY_EVENT_BUS = var.notify_event_bus
  }
  console_secrets = {
    PGPASSWORD = try("${aws_secretsmanager_secret.ledger[0].arn}:password::", null)
  }
  console_secrets_by_choice = {
    CONSOLE_TOKENS = try(var.console.tokens_secret_arn, null)
  }
  console_container = {
    name         = "console"
    command      = ["console"]
    portMappings = [{ containerPort = 8090, protocol = "tcp" }]
    environment = [for name, value in merge(
      local.queue_environment,
      local.console_environment,
      local.oidc ? local.console_environment_with_oidc : {},
      local.console_environment_by_choice,
    ) : { name = name, value = value } if value != null && value != ""]
    secrets = [for name, arn in merge(
      local.console_secrets,
      local.console_secrets_by_choice,
    ) : { name = name, valueFrom = arn } if arn != null]
    mountPoints = [{
      sourceVolume  = "state"
      containerPath = "/var/lib/ota-updater"
      readOnly      = false
    }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = try(aws_cloudwatch_log_group.console[0].name, null)
        awslogs-region        = local.region
        awslogs-stream-prefix = "console"
        mode                  = "non-blocking"
      }
    }
  }
}

resource "aws_ecs_task_definition" "console" {
  count = local.console ? 1 : 0

  family                   = "${var.name}-console"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.console[0].arn
  execution_role_arn       = aws_iam_role.console_execution[0].arn
  container_definitions    = jsonencode([merge(local.container, local.console_container)])

  runtime_platform {
    cpu_architecture        = var.arm64 ? "ARM64" : "X86_64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "state"

    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.state[0].id
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = aws_efs_access_point.state[0].id
        iam             = "ENABLED"
      }
    }
  }
}

resource "aws_security_group" "console" {
  count = local.console ? 1 : 0

  name_prefix = "${var.name}-console-"
  description = "ota-updater console"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "console_https" {
  count = local.console ? 1 : 0

  security_group_id = aws_security_group.console[0].id
  description       = "AWS, image and log"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "console_to_ledger" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.console[0].id
  referenced_security_group_id = aws_security_group.ledger[0].id
  description                  = "ledger"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "console_to_worker" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.console[0].id
  referenced_security_group_id = aws_security_group.worker.id
  description                  = "status"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "worker_from_console" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.worker.id
  referenced_security_group_id = aws_security_group.console[0].id
  description                  = "status"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

# One console for each state folder.
resource "aws_ecs_service" "console" {
  count = local.console ? 1 : 0

  name                               = "${var.name}-console"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.console[0].arn
  launch_type                        = "FARGATE"
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 60

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.console[0].id]
    assign_public_ip = var.assign_public_ip
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.console[0].arn
    container_name   = "console"
    container_port   = 8090
  }

  depends_on = [
    aws_iam_role_policy.console,
    aws_iam_role_policy.console_execution,
    aws_lb_listener.console,
    aws_efs_mount_target.state,
  ]
}
