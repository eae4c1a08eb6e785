# PostgreSQL for the ledger of jobs.

locals {
  ledger         = var.ledger != null || local.console
  ledger_tls     = try(var.ledger.certificates, null) == null ? "sslmode=no-verify" : "sslmode=verify-full&sslrootcert=${var.ledger.certificates}"
  ledger_url     = local.ledger ? "postgres://ota_updater@${aws_db_instance.ledger[0].address}:5432/ota_updater?${local.ledger_tls}" : null
  ledger_clients = try(var.ledger.client_security_group_ids, [])
}

resource "random_password" "ledger" {
  count = local.ledger ? 1 : 0

  length  = 40
  special = false
}

resource "aws_secretsmanager_secret" "ledger" {
  count = local.ledger ? 1 : 0

  name_prefix = "${var.name}-ledger-"
  description = "PostgreSQL user of the ledger of ota-updater"
}

resource "aws_secretsmanager_secret_version" "ledger" {
  count = local.ledger ? 1 : 0

  secret_id = aws_secretsmanager_secret.ledger[0].id
  secret_string = jsonencode({
    username = "ota_updater"
    password = random_password.ledger[0].result
  })
}

resource "aws_security_group" "ledger" {
  count = local.ledger ? 1 : 0

  name_prefix = "${var.name}-ledger-"
  description = "ota-updater ledger"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "ledger_from_console" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.ledger[0].id
  referenced_security_group_id = aws_security_group.console[0].id
  description                  = "ledger"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# What these may send is said by their own groups.
resource "aws_vpc_security_group_ingress_rule" "ledger_from_clients" {
  count = length(local.ledger_clients)

  security_group_id            = aws_security_group.ledger[0].id
  referenced_security_group_id = local.ledger_clients[count.index]
  description                  = "ledger"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_subnet_group" "ledger" {
  count = local.ledger ? 1 : 0

  name_prefix = "${var.name}-ledger-"
  description = "ota-updater ledger"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_instance" "ledger" {
  count = local.ledger ? 1 : 0

  identifier_prefix         = "${var.name}-ledger-"
  engine                    = "postgres"
  engine_version            = "17.9"
  instance_class            = "db.t4g.micro"
  db_name                   = "ota_updater"
  username                  = "ota_updater"
  password                  = random_password.ledger[0].result
  allocated_storage         = 20
  storage_type              = "gp3"
  storage_encrypted         = true
  publicly_accessible       = false
  backup_retention_period   = 7
  deletion_protection       = true
  copy_tags_to_snapshot     = true
  final_snapshot_identifier = "${var.name}-ledger-final"
  db_subnet_group_name      = aws_db_subnet_group.ledger[0].name
  vpc_security_group_ids    = [aws_security_group.ledger[0].id]
}

# Valkey for what workers share.

resource "random_password" "valkey" {
  count = var.valkey ? 1 : 0

  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "valkey_token" {
  count = var.valkey ? 1 : 0

  name_prefix = "${var.name}-valkey-"
  description = "Password of the Valkey of ota-updater"
}

resource "aws_secretsmanager_secret_version" "valkey_token" {
  count = var.valkey ? 1 : 0

  secret_id     = aws_secretsmanager_secret.valkey_token[0].id
  secret_string = random_password.valkey[0].result
}

resource "aws_secretsmanager_secret" "valkey_url" {
  count = var.valkey ? 1 : 0

  name_prefix = "${var.name}-redis-url-"
  description = "REDIS_URL of ota-updater"
}

resource "aws_secretsmanager_secret_version" "valkey_url" {
  count = var.valkey ? 1 : 0

  secret_id     = aws_secretsmanager_secret.valkey_url[0].id
  secret_string = "rediss://:${random_password.valkey[0].result}@${aws_elasticache_replication_group.valkey[0].primary_endpoint_address}:6379/0"
}

resource "aws_security_group" "valkey" {
  count = var.valkey ? 1 : 0

  name_prefix = "${var.name}-valkey-"
  description = "ota-updater Valkey"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "valkey_from_worker" {
  count = var.valkey ? 1 : 0

  security_group_id            = aws_security_group.valkey[0].id
  referenced_security_group_id = aws_security_group.worker.id
  description                  = "Valkey"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_vpc_security_group_egress_rule" "worker_to_valkey" {
  count = var.valkey ? 1 : 0

  security_group_id            = aws_security_group.worker.id
  referenced_security_group_id = aws_security_group.valkey[0].id
  description                  = "Valkey"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_elasticache_subnet_group" "valkey" {
  count = var.valkey ? 1 : 0

  name        = "${var.name}-valkey"
  description = "ota-updater Valkey"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_replication_group" "valkey" {
  count = var.valkey ? 1 : 0

  replication_group_id       = "${var.name}-valkey"
  description                = "${var.name}: rate budget and newest values of its workers"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = 1
  automatic_failover_enabled = false
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  auth_token                 = random_password.valkey[0].result
  subnet_group_name          = aws_elasticache_subnet_group.valkey[0].name
  security_group_ids         = [aws_security_group.valkey[0].id]
}
