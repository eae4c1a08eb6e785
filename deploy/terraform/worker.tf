resource "aws_ecs_cluster" "this" {
  name = var.name
}

resource "aws_cloudwatch_log_group" "worker" {
  name_prefix       = "${var.name}-worker-"
  retention_in_days = 30
}

locals {
  queue_environment = {
    AWS_REGION            = local.region
    QUEUE_URL             = aws_sqs_queue.updates.url
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    OUTCOME_QUEUE_URL     = aws_sqs_queue.outcomes.url
  }
  worker_environment = {
    METRICS = "emf"
  }
  # For the console, through the network only.
  worker_environment_with_console = {
    HTTP_HOST = "0.0.0.0"
  }
  worker_secrets_with_valkey = {
    REDIS_URL = try(aws_secretsmanager_secret.valkey_url[0].arn, null)
  }

  # What the containers of worker and console have in common: they may do as little as possible.
  container = {
    image                  = var.image
    essential              = true
    user                   = "1000"
    readonlyRootFilesystem = true
    stopTimeout            = 30
    linuxParameters = {
      initProcessEnabled = true
      capabilities = {
        drop = ["ALL"]
      }
    }
    healthCheck = {
      command     = ["CMD", "ota-updater", "health"]
      interval    = 30
      timeout     = 5
      startPeriod = 10
      retries     = 3
    }
  }
  worker_container = {
    name         = "worker"
    command      = ["worker"]
    portMappings = local.console ? [{ containerPort = 8080, protocol = "tcp" }] : []
    environment = [for name, value in merge(
      var.settings,
      local.queue_environment,
      local.worker_environment,
      local.console ? local.worker_environment_with_console : {},
    ) : { name = name, value = value }]
    secrets = [for name, arn in var.valkey ? local.worker_secrets_with_valkey : {} : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.worker.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "worker"
        mode                  = "non-blocking"
      }
    }
  }
}

resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.worker.arn
  execution_role_arn       = aws_iam_role.worker_execution.arn
  container_definitions    = jsonencode([merge(local.container, local.worker_container)])

  runtime_platform {
    cpu_architecture        = var.arm64 ? "ARM64" : "X86_64"
    operating_system_family = "LINUX"
  }
}

resource "aws_security_group" "worker" {
  name_prefix = "${var.name}-worker-"
  description = "ota-updater worker"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "worker_https" {
  security_group_id = aws_security_group.worker.id
  description       = "AWS, image and log"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_ecs_service" "worker" {
  name                               = "${var.name}-worker"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.worker.arn
  launch_type                        = "FARGATE"
  desired_count                      = var.workers
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.worker.id]
    assign_public_ip = var.assign_public_ip
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.worker[*].arn
    content {
      registry_arn = service_registries.value
    }
  }

  depends_on = [aws_iam_role_policy.worker, aws_iam_role_policy.worker_execution]
}
