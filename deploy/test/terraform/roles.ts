/** Roles of the Terraform module and of the CDK template: those of deploy/iam, action by action, resource by resource. */
import { expect } from 'vitest';
import { allowed, statements } from '../../../testing/iam/policies.ts';
import { at, type Block, isList, type Json, type Module, type Room } from './module.ts';
import { placeholders, readTemplate } from './template.ts';

const template = readTemplate();

/** `ACTION on RESOURCE`, sorted. */
type Lines = readonly string[];

function blocksOf(module: Module, name: string): readonly Block[] {
  const block = module.data.get(`aws_iam_policy_document.${name}`) ?? {};
  const plain = (block.statement ?? []) as readonly Block[];
  const dynamic = ((at(block, 'dynamic.statement') ?? []) as readonly Block[]).flatMap(
    ({ content }) => content as readonly Block[],
  );
  return [...plain, ...dynamic];
}

const names: readonly (readonly [string, string])[] = [
  ['${local.partition}', 'aws'],
  ['${local.region}', 'REGION'],
  ['${local.account}', 'ACCOUNT_ID'],
  ['${aws_sqs_queue.updates.name}', 'UPDATE_QUEUE'],
  ['${aws_sqs_queue.dead_letters.name}', 'DEAD_LETTER_QUEUE'],
  ['${aws_sqs_queue.outcomes.name}', 'OUTCOME_QUEUE'],
  ['${local.key_id}', 'KEY_ID'],
  ['${var.report_bucket}', 'REPORT_BUCKET'],
  ['${local.notify_topic}', 'NOTIFY_TOPIC'],
  ['${var.notify_event_bus}', 'NOTIFY_BUS'],
];
const named = (text: string): string => names.reduce((all, [from, to]) => all.replaceAll(from, to), text);

interface TemplateStatement {
  readonly Sid?: string;
  readonly Action: Json;
  readonly Resource: Json;
  readonly Condition?: Block;
}

function templateStatements(id: string): readonly TemplateStatement[] {
  return at(
    template.get(id)?.Properties,
    'PolicyDocument.Statement',
  ) as unknown as readonly TemplateStatement[];
}

function lines(statements: readonly TemplateStatement[]): Lines {
  return statements
    .flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          (isList(Resource) ? Resource : [Resource]).map(
            (resource) => `${String(action)} on ${placeholders(resource)}`,
          ),
        ),
    )
    .toSorted();
}

export const roles: Room = (module, check) => {
  const moduleBlocks = (name: string): readonly Block[] => blocksOf(module, name);
  const moduleStatements = (name: string): Lines =>
    moduleBlocks(name)
      .flatMap(({ actions, resources = null }) =>
        [actions]
          .flat()
          .flatMap((action) =>
            (isList(resources) ? resources : [resources]).map(
              (resource) => `${String(action)} on ${named(String(resource))}`,
            ),
          ),
      )
      .toSorted();

  const policies = {
    worker: 'WorkerTaskTaskRoleDefaultPolicy',
    enqueuer: 'EnqueuerDefaultPolicy',
    operator: 'OperatorDefaultPolicy',
    console: 'ConsoleServiceTaskTaskRoleDefaultPolicy',
  };
  /** The template has neither bucket, topic nor bus. */
  const chosen = /REPORT_BUCKET|NOTIFY_/;

  for (const [role, id] of Object.entries(policies))
    check(`${role}: action by action, resource by resource`, () => {
      expect(moduleStatements(role)).toEqual(allowed(role));
      const own = templateStatements(id).filter(({ Sid }) => Sid !== undefined);
      expect(lines(own)).toEqual(allowed(role).filter((line) => !chosen.test(line)));
    });

  for (const [role, id] of Object.entries(policies))
    check(`${role}: under the same names, on the same conditions`, () => {
      const sids = moduleBlocks(role).map(({ sid }) => sid);
      expect(sids.toSorted()).toEqual(
        statements(`${role}.json`)
          .map(({ Sid }) => Sid)
          .toSorted(),
      );
      const inFiles = statements(`${role}.json`).flatMap(({ Condition = {} }) =>
        Object.entries(Condition).map(([check, values]) => [check, ...Object.entries(values).flat()]),
      );
      const inModule = moduleBlocks(role)
        .flatMap(({ condition = [] }) => condition as readonly Block[])
        .map(({ test: check, variable, values, ...more }) => [
          check,
          variable,
          named(String(values)),
          ...Object.keys(more),
        ]);
      const inTemplate = templateStatements(id).flatMap(({ Condition = {} }) =>
        Object.entries(Condition).map(([check, values]) => [
          check,
          ...Object.entries(values as Block).flatMap(([key, value]) => [key, placeholders(value)]),
        ]),
      );
      expect(inModule).toEqual(inFiles);
      expect(inTemplate).toEqual(inFiles);
    });

  check('each role has the policy of its name', () => {
    const documents = {
      worker: 'worker',
      worker_execution: 'worker_execution',
      enqueuer: 'enqueuer',
      operator: 'operator',
      console: 'console_task[0]',
      console_execution: 'console_execution[0]',
    };
    for (const [role, policy] of Object.entries(documents))
      expect(module.resources.get(`aws_iam_role_policy.${role}`), role).toEqual({
        ...(role.startsWith('console') && { count: '${local.console ? 1 : 0}' }),
        role: `\${aws_iam_role.${role}${role.startsWith('console') ? '[0]' : ''}.id}`,
        policy: `\${data.aws_iam_policy_document.${policy}.json}`,
      });
    const task = module.data.get('aws_iam_policy_document.console_task');
    expect(task?.source_policy_documents).toEqual(['${data.aws_iam_policy_document.console.json}']);
  });

  const ecr = ['BatchCheckLayerAvailability', 'BatchGetImage', 'GetDownloadUrlForLayer'];
  const log = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const read = ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'];
  const on = (actions: readonly string[], resource: string): Lines =>
    actions.map((action) => `${action} on ${resource}`);
  const start = (image: string, logGroup: string, secret: string): Lines =>
    [
      'ecr:GetAuthorizationToken on *',
      ...on(
        ecr.map((action) => `ecr:${action}`),
        image,
      ),
      ...on(log, logGroup),
      ...on(read, secret),
    ].toSorted();
  const repository = 'arn:aws:ecr:REGION:ACCOUNT_ID:repository/{ImageRepository}';
  /** Without the digests of logical ids, and expressions on one line. */
  const plain = (line: string): string => line.replace(/[0-9A-F]{8}(?=[.}])/g, '').replace(/\s+/g, ' ');

  for (const [name, id, inModule, inTemplate] of [
    [
      'worker_execution',
      'WorkerTaskExecutionRoleDefaultPolicy',
      start(
        '${var.image_repository_arn}',
        '${aws_cloudwatch_log_group.worker.arn}:*',
        '${aws_secretsmanager_secret.valkey_url[0].arn}',
      ),
      start(repository, '{OtaUpdaterWorkerLog.Arn}', '{OtaUpdaterSharedUrl}'),
    ],
    [
      'console_execution',
      'ConsoleServiceTaskExecutionRoleDefaultPolicy',
      start(
        '${var.image_repository_arn}',
        '${aws_cloudwatch_log_group.console[0].arn}:*',
        '${concat( [aws_secretsmanager_secret.ledger[0].arn], var.console.tokens_secret_arn == null ? [] : [var.console.tokens_secret_arn], )}',
      ),
      start(repository, '{OtaUpdaterConsoleServiceLog.Arn}', '{OtaUpdaterLedgerSecret}'),
    ],
  ] as const)
    check(`${name}: ECS may start the containers, and nothing else`, () => {
      expect(moduleStatements(name).map(plain)).toEqual(inModule);
      expect(lines(templateStatements(id)).map(plain)).toEqual(inTemplate);
    });

  check('besides its own, the console may use its state folder', () => {
    const use = ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'];
    const more = templateStatements(policies.console).filter(({ Sid }) => Sid === undefined);
    expect(moduleStatements('console_task')).toEqual(on(use, '${aws_efs_file_system.state[0].arn}'));
    expect(lines(more).map(plain)).toEqual(on(use, '{OtaUpdaterConsoleState.Arn}'));
  });

  check('what is said of a statement is all that there is: nothing is denied, excepted or inverted', () => {
    for (const [name, block] of module.data) {
      const more = name.endsWith('.console_task') ? ['source_policy_documents'] : [];
      if (name.endsWith('.only_encrypted_connections')) more.push('for_each');
      expect(['count', 'dynamic', 'statement', ...more], name).toEqual(
        expect.arrayContaining(Object.keys(block)),
      );
      const dynamic = (at(block, 'dynamic.statement') ?? []) as readonly Block[];
      expect(Object.keys(block.dynamic ?? {}), name).toEqual(dynamic.length === 0 ? [] : ['statement']);
      for (const each of dynamic) expect(Object.keys(each).toSorted()).toEqual(['content', 'for_each']);
    }
    const known = ['actions', 'condition', 'resources', 'sid'];
    for (const name of [...Object.keys(policies), 'console_task', 'worker_execution', 'console_execution'])
      for (const statement of moduleBlocks(name))
        expect(known, name).toEqual(expect.arrayContaining(Object.keys(statement)));
  });

  const account = 'arn:aws:iam::ACCOUNT_ID:root';
  for (const [who, document, principals, Principal, taken] of [
    [
      'ECS',
      'tasks',
      { type: 'Service', identifiers: ['ecs-tasks.amazonaws.com'] },
      { Service: 'ecs-tasks.amazonaws.com' },
      {
        worker: 'WorkerTaskTaskRole',
        worker_execution: 'WorkerTaskExecutionRole',
        console: 'ConsoleServiceTaskTaskRole',
        console_execution: 'ConsoleServiceTaskExecutionRole',
      },
    ],
    [
      'people',
      'people',
      {
        type: 'AWS',
        identifiers:
          '${length(var.people) > 0 ? var.people : ["arn:${local.partition}:iam::${local.account}:root"]}',
      },
      { AWS: account },
      { enqueuer: 'Enqueuer', operator: 'Operator' },
    ],
  ] as const)
    check(`roles are taken by ${who}, and nobody else`, () => {
      expect(module.data.get(`aws_iam_policy_document.${document}`)).toEqual({
        statement: [{ actions: ['sts:AssumeRole'], principals: [principals] }],
      });
      for (const [role, id] of Object.entries(taken)) {
        expect(module.resources.get(`aws_iam_role.${role}`)?.assume_role_policy, role).toBe(
          `\${data.aws_iam_policy_document.${document}.json}`,
        );
        const trust = at(template.get(id)?.Properties, 'AssumeRolePolicyDocument') as Block;
        const [{ Principal: own = null, ...statement } = {}, ...more] = trust.Statement as readonly Block[];
        expect([statement, more], id).toEqual([{ Action: 'sts:AssumeRole', Effect: 'Allow' }, []]);
        const said = Object.entries(own ?? {}).map(([type, by]) => [type, placeholders(by)]);
        expect(Object.fromEntries(said), id).toEqual(Principal);
      }
    });
};
