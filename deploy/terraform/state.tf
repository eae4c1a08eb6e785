# Plans, the log of what was done to dead letters, and redrives that are under way outlive a task of the console.

resource "aws_security_group" "state" {
  count = local.console ? 1 : 0

  name_prefix = "${var.name}-state-"
  description = "ota-updater console, state folder"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "state_from_console" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.state[0].id
  referenced_security_group_id = aws_security_group.console[0].id
  description                  = "console"
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}

resource "aws_vpc_security_group_egress_rule" "console_to_state" {
  count = local.console ? 1 : 0

  security_group_id            = aws_security_group.console[0].id
  referenced_security_group_id = aws_security_group.state[0].id
  description                  = "state folder"
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}

resource "aws_efs_file_system" "state" {
  count = local.console ? 1 : 0

  encrypted = true
}

resource "aws_efs_mount_target" "state" {
  count = local.console ? length(var.subnet_ids) : 0

  file_system_id  = aws_efs_file_system.state[0].id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [aws_security_group.state[0].id]
}

resource "aws_efs_access_point" "state" {
  count = local.console ? 1 : 0

  file_system_id = aws_efs_file_system.state[0].id

  posix_user {
    uid = 1000
    gid = 0
  }

  root_directory {
    path = "/ota-updater"

    creation_info {
      owner_uid   = 1000
      owner_gid   = 0
      permissions = "0700"
    }
  }
}
