/**
 * What only Terraform has to say, value by value: CloudFormation gives names by itself, works out the order, and fills secrets without versions.
 */
import { expect } from 'vitest';
import type { Json, Room } from './module.ts';

/** What all names begin with: AWS's own bounds leave a load balancer six characters. */
const prefixes: Readonly<Record<string, string>> = {
  'aws_cloudwatch_log_group.console': '${var.name}-console-',
  'aws_cloudwatch_log_group.worker': '${var.name}-worker-',
  'aws_db_subnet_group.ledger': '${var.name}-ledger-',
  'aws_iam_role.console': '${var.name}-console-',
  'aws_iam_role.console_execution': '${var.name}-console-execution-',
  'aws_iam_role.enqueuer': '${var.name}-enqueuer-',
  'aws_iam_role.operator': '${var.name}-operator-',
  'aws_iam_role.worker': '${var.name}-worker-',
  'aws_iam_role.worker_execution': '${var.name}-worker-execution-',
  'aws_lb.console': 'ota-',
  'aws_lb_target_group.console': 'ota-',
  'aws_secretsmanager_secret.ledger': '${var.name}-ledger-',
  'aws_secretsmanager_secret.valkey_token': '${var.name}-valkey-',
  'aws_secretsmanager_secret.valkey_url': '${var.name}-redis-url-',
  'aws_security_group.access': '${var.name}-access-',
  'aws_security_group.console': '${var.name}-console-',
  'aws_security_group.ledger': '${var.name}-ledger-',
  'aws_security_group.state': '${var.name}-state-',
  'aws_security_group.valkey': '${var.name}-valkey-',
  'aws_security_group.worker': '${var.name}-worker-',
};

const values: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  'aws_db_instance.ledger': {
    identifier_prefix: '${var.name}-ledger-',
    final_snapshot_identifier: '${var.name}-ledger-final',
  },
  'aws_ecs_cluster.this': { name: '${var.name}' },
  // Rights and listeners are there before the tasks that need them.
  'aws_ecs_service.console': {
    name: '${var.name}-console',
    depends_on: [
      '${aws_iam_role_policy.console}',
      '${aws_iam_role_policy.console_execution}',
      '${aws_lb_listener.console}',
      '${aws_efs_mount_target.state}',
    ],
  },
  'aws_ecs_service.worker': {
    name: '${var.name}-worker',
    depends_on: ['${aws_iam_role_policy.worker}', '${aws_iam_role_policy.worker_execution}'],
  },
  'aws_ecs_task_definition.console': {
    family: '${var.name}-console',
    container_definitions: '${jsonencode([merge(local.container, local.console_container)])}',
  },
  'aws_ecs_task_definition.worker': {
    family: '${var.name}-worker',
    container_definitions: '${jsonencode([merge(local.container, local.worker_container)])}',
  },
  'aws_elasticache_replication_group.valkey': { replication_group_id: '${var.name}-valkey' },
  'aws_elasticache_subnet_group.valkey': { name: '${var.name}-valkey' },
  // Each secret has its own value; those of ledger and URL are compared with the template.
  'aws_secretsmanager_secret_version.ledger': { secret_id: '${aws_secretsmanager_secret.ledger[0].id}' },
  'aws_secretsmanager_secret_version.valkey_token': {
    secret_id: '${aws_secretsmanager_secret.valkey_token[0].id}',
    secret_string: '${random_password.valkey[0].result}',
  },
  'aws_secretsmanager_secret_version.valkey_url': {
    secret_id: '${aws_secretsmanager_secret.valkey_url[0].id}',
  },
};

export const glue: Room = (module, check) => {
  check('names begin with the name', () => {
    const seen = [...module.resources].flatMap(([name, { name_prefix: prefix }]) =>
      prefix === undefined ? [] : [[name, prefix]],
    );
    expect(Object.fromEntries(seen)).toEqual(prefixes);
  });

  for (const [name, own] of Object.entries(values))
    check(`${name}: what only Terraform says`, () => {
      const block = module.resources.get(name) ?? {};
      expect(Object.fromEntries(Object.keys(own).map((key) => [key, block[key]]))).toEqual(own);
    });

  check('account, partition and region are those of the provider', () => {
    for (const name of ['caller_identity', 'partition', 'region'])
      expect(module.data.get(`aws_${name}.this`)).toEqual({});
  });

  check('secrets have one version each, with nothing else', () => {
    for (const [name, block] of module.resources)
      if (name.startsWith('aws_secretsmanager_secret_version.'))
        expect(Object.keys(block).toSorted(), name).toEqual(['count', 'secret_id', 'secret_string']);
  });

  check('only services wait for what they do not refer to', () => {
    const waiting = [...module.resources].filter(([, block]) => block.depends_on !== undefined);
    expect(waiting.map(([name]) => name).toSorted()).toEqual([
      'aws_ecs_service.console',
      'aws_ecs_service.worker',
    ]);
  });
};
