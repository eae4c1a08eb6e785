/** What the module makes by choice: each condition, and what the settings of the containers come from. */
import { expect } from 'vitest';
import { at, type Block, expression, isList, type Json, type Module, type Room } from './module.ts';
import { readTemplate } from './template.ts';

const template = readTemplate();

/** Every `dynamic` block: where it is, what it makes, and its `for_each`. */
function dynamics(module: Module): string[] {
  return [...module.resources, ...module.data].flatMap(([name, block]) =>
    Object.entries((block.dynamic ?? {}) as Readonly<Record<string, readonly Block[]>>).flatMap(
      ([kind, blocks]) =>
        blocks.map(({ content, for_each }) => {
          const made = at(content, '0.sid') ?? at(content, '0.type') ?? kind;
          return `${name.replace('aws_iam_policy_document.', '')} ${String(made)}: ${expression(for_each)}`;
        }),
    ),
  );
}

export const choices: Room = (module, check) => {
  check('what is a choice, is one by the variable of its name', () => {
    expect(expression(module.locals.console)).toBe('var.console != null');
    expect(expression(module.locals.oidc)).toBe('try(var.console.oidc, null) != null');
    expect(expression(module.locals.ledger)).toBe('var.ledger != null || local.console');
    expect(expression(module.locals.ledger_clients)).toBe('try(var.ledger.client_security_group_ids, [])');
    expect(expression(module.locals.told)).toBe('var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]');
  });

  check(
    'queues are encrypted by SQS’s own key where no other is chosen, and FIFO by choice, but for outcomes',
    () => {
      for (const name of ['updates', 'dead_letters', 'outcomes']) {
        const queue = module.resources.get(`aws_sqs_queue.${name}`);
        expect(expression(queue?.sqs_managed_sse_enabled)).toBe('var.kms_key_arn == null ? true : null');
        expect(queue?.fifo_queue).toBe(name === 'outcomes' ? undefined : '${var.fifo}');
      }
    },
  );

  check('each dynamic block is made by its own choice', () => {
    const [key, bucket] = ['var.kms_key_arn == null ? [] : [1]', 'var.report_bucket == null ? [] : [1]'];
    const topic = 'var.notify_topic_arn == null ? [] : [1]';
    const bus = 'var.notify_event_bus == null ? [] : [1]';
    expect(dynamics(module).toSorted()).toEqual(
      [
        'aws_lb_listener.console authenticate-oidc: local.oidc ? [1] : []',
        'aws_ecs_service.worker service_registries: aws_service_discovery_service.worker[*].arn',
        'worker_execution statement: var.valkey ? [1] : []',
        ...['worker', 'enqueuer', 'operator', 'console'].map((role) => `${role} EncryptedQueues: ${key}`),
        ...['enqueuer', 'console'].flatMap((role) => [
          `${role} FileReports: ${bucket}`,
          `${role} NotifyTopic: ${topic}`,
          `${role} NotifyBus: ${bus}`,
        ]),
      ].toSorted(),
    );
  });

  check('each resource is there always, or by its own choice', () => {
    const always =
      /^(aws_sqs|aws_cloudwatch_metric_alarm|aws_ecs_cluster|.*\.(worker(_execution|_https)?|enqueuer|operator)$)/;
    const others: Readonly<Record<string, string>> = {
      'aws_service_discovery_service.worker': 'local.console ? 1 : 0',
      'aws_efs_mount_target.state': 'local.console ? length(var.subnet_ids) : 0',
      'aws_vpc_security_group_egress_rule.access_to_identity_provider': 'local.oidc ? 1 : 0',
      'aws_vpc_security_group_ingress_rule.ledger_from_console': 'local.console ? 1 : 0',
      'aws_vpc_security_group_egress_rule.console_to_ledger': 'local.console ? 1 : 0',
      'aws_vpc_security_group_ingress_rule.ledger_from_clients': 'length(local.ledger_clients)',
    };
    const choice = (name: string): string => {
      if (name.includes('valkey')) return 'var.valkey';
      return name.includes('ledger') ? 'local.ledger' : 'local.console';
    };
    for (const [name, { count }] of module.resources) {
      const byName = always.test(name) ? 'undefined' : `${choice(name)} ? 1 : 0`;
      expect(expression(count), name).toBe(others[name] ?? byName);
    }
    const ofConsole = /\.console_(task|execution)$/;
    for (const [name, { count }] of module.data)
      expect(expression(count), name).toBe(ofConsole.test(name) ? 'local.console ? 1 : 0' : 'undefined');
  });

  for (const [name, part, expected] of [
    [
      'worker',
      'environment',
      '[for name, value in merge(var.settings, local.queue_environment, local.worker_environment, local.console ? local.worker_environment_with_console : {}) : { name = name, value = value }]',
    ],
    [
      'worker',
      'secrets',
      '[for name, arn in var.valkey ? local.worker_secrets_with_valkey : {} : { name = name, valueFrom = arn }]',
    ],
    ['worker', 'portMappings', 'local.console ? [{ containerPort = 8080, protocol = "tcp" }] : []'],
    [
      'console',
      'environment',
      '[for name, value in merge(local.queue_environment, local.console_environment, local.oidc ? local.console_environment_with_oidc : {}, local.console_environment_by_choice) : { name = name, value = value } if value != null && value != ""]',
    ],
    [
      'console',
      'secrets',
      '[for name, arn in merge(local.console_secrets, local.console_secrets_by_choice) : { name = name, valueFrom = arn } if arn != null]',
    ],
  ] as const)
    check(`${name} gets its ${part}, each by its own choice`, () => {
      expect(expression(at(module.locals[`${name}_container`], part))).toBe(expected);
    });

  /** By name: the module's expression, and what the template refers to; none where the template has no such choice. */
  const sources: Readonly<Record<string, readonly [module: string, template?: string]>> = {
    AWS_REGION: ['local.region', 'AWS::Region'],
    QUEUE_URL: ['aws_sqs_queue.updates.url', 'QueuesUpdates'],
    DEAD_LETTER_QUEUE_URL: ['aws_sqs_queue.dead_letters.url', 'QueuesDeadLetters'],
    OUTCOME_QUEUE_URL: ['aws_sqs_queue.outcomes.url', 'QueuesOutcomes'],
    METRICS: ['emf', 'emf'],
    HTTP_HOST: ['0.0.0.0', '0.0.0.0'],
    CONSOLE_HOST: ['0.0.0.0', '0.0.0.0'],
    CONSOLE_HOSTS: ['try(var.console.host_name, null)', 'ConsoleHost'],
    CONSOLE_TRUSTED_PROXIES: ['try(var.console.vpc_cidr, null)', 'VpcCidr'],
    WORKER_URLS: ['http://worker.${var.name}.internal:8080', 'http://worker.ota-updater.internal:8080'],
    LEDGER_URL: [
      'local.ledger_url',
      'postgres://ota_updater@ LedgerDatabase Endpoint.Address :5432/ota_updater?sslmode=no-verify',
    ],
    STATE_DIR: ['/var/lib/ota-updater', '/var/lib/ota-updater'],
    CONSOLE_IDENTITY_ALB_ARN: ['try(aws_lb.console[0].arn, null)', 'ConsoleLoadBalancer'],
    CONSOLE_OPERATORS: ['try(join(",", var.console.operators), null)', 'Operators'],
    NOTIFY_TOPIC_ARN: ['var.notify_topic_arn'],
    NOTIFY_EVENT_BUS: ['var.notify_event_bus'],
    REDIS_URL: ['try(aws_secretsmanager_secret.valkey_url[0].arn, null)', 'SharedUrl'],
    PGPASSWORD: [
      'try("${aws_secretsmanager_secret.ledger[0].arn}:password::", null)',
      'LedgerSecret :password::',
    ],
    CONSOLE_TOKENS: ['try(var.console.tokens_secret_arn, null)'],
  };

  check('each setting and secret from where it is, in the module', () => {
    const maps = Object.entries(module.locals).filter(([name]) => /_(environment|secrets)(_|$)/.test(name));
    const all = Object.entries(Object.assign({}, ...maps.map(([, map]) => map)) as Block);
    expect(Object.fromEntries(all.map(([name, value]) => [name, expression(value)]))).toEqual(
      Object.fromEntries(Object.entries(sources).map(([name, [source]]) => [name, source])),
    );
  });

  check('the same in the template', () => {
    const texts = (value: Json): string[] => {
      if (typeof value === 'string')
        return value === '' ? [] : [value.replace(/^OtaUpdater(\w+?)[0-9A-F]{8}$/, '$1')];
      if (typeof value !== 'object' || value === null) return [];
      return (isList(value) ? value : Object.values(value)).flatMap(texts);
    };
    const seen = ['WorkerTask', 'ConsoleServiceTask'].flatMap((id) => {
      const container = at(template.get(id)?.Properties, 'ContainerDefinitions.0') as Block;
      return [container.Environment ?? [], container.Secrets ?? []]
        .flatMap((list) => list as readonly Block[])
        .map(({ Name, Value, ValueFrom }) => [String(Name), texts(Value ?? ValueFrom ?? null).join(' ')]);
    });
    const expected = Object.entries(sources).flatMap(([name, [, source]]) =>
      source === undefined ? [] : [[name, source]],
    );
    expect(Object.fromEntries(seen.filter(([name]) => name !== 'RATE_LIMIT'))).toEqual(
      Object.fromEntries(expected),
    );
  });
};
