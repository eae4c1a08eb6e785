# TLS for the console, and signing in by OpenID Connect, if that is wanted.

resource "aws_security_group" "access" {
  count = local.console ? 1 : 0

  name_prefix = "${var.name}-access-"
  description = "ota-updater console, load balancer"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "access_from_browsers" {
  count = local.console ? 1 : 0

  security_group_id = aws_security_group.access[0].id
  description       = "browsers"
  cidr_ipv4         = var.console.from
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "access_to_identity_provider" {
  count = local.oidc ? 1 : 0

  security_group_id = aws_security_group.access[0].id
  description       = "identity provider"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "access_to_console" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.access[0].id
  referenced_security_group_id = aws_security_group.console[0].id
  description                  = "console"
  ip_protocol                  = "tcp"
  from_port                    = 8090
  to_port                      = 8090
}

resource "aws_vpc_security_group_ingress_rule" "console_from_access" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.console[0].id
  referenced_security_group_id = aws_security_group.access[0].id
  description                  = "load balancer"
  ip_protocol                  = "tcp"
  from_port                    = 8090
  to_port                      = 8090
}

resource "aws_lb" "console" {
  count = local.console ? 1 : 0

  name_prefix                = "ota-"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.console.public_subnet_ids
  security_groups            = [aws_security_group.access[0].id]
  drop_invalid_header_fields = true
  # Streams of pages are silent for at most 15 s.
  idle_timeout = 60
}

resource "aws_lb_target_group" "console" {
  count = local.console ? 1 : 0

  name_prefix          = "ota-"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 8090
  deregistration_delay = 30

  health_check {
    path    = "/sign-in"
    matcher = "200"
  }
}

resource "aws_lb_listener" "console" {
  count = local.console ? 1 : 0

  load_balancer_arn = aws_lb.console[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.console.certificate_arn

  dynamic "default_action" {
    for_each = local.oidc ? [1] : []
    content {
      type  = "authenticate-oidc"
      order = 1

      authenticate_oidc {
        issuer                 = var.console.oidc.issuer
        authorization_endpoint = var.console.oidc.authorization_endpoint
        token_endpoint         = var.console.oidc.token_endpoint
        user_info_endpoint     = var.console.oidc.user_info_endpoint
        client_id              = var.console.oidc.client_id
        client_secret          = var.console.oidc.client_secret
      }
    }
  }

  default_action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.console[0].arn
  }
}
