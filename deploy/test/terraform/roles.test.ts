/** Roles of the Terraform module and of the CDK template: those of deploy/iam, action by action, resource by resource. */
import { describe, expect, test } from 'vitest';
import { allowed, statements } from '../../../testing/iam/policies.ts';
import { at, type Block, isList, type Json, readModule } from './module.ts';
import { placeholders, readTemplate } from './template.ts';

const module = await readModule();
const template = readTemplate();

/** `ACTION on RESOURCE`, sorted. */
type Lines = readonly string[];

function moduleBlocks(name: string): readonly Block[] {
  const block = module.data.get(`aws_iam_policy_document.${name}`) ?? {};
  const plain = (block.statement ?? []) as readonly Block[];
  const dynamic = ((at(block, 'dynamic.statement') ?? []) as readonly Block[]).flatMap(
    ({ content }) => content as readonly Block[],
  );
  return [...plain, ...dynamic];
}

function moduleStatements(name: string): Lines {
  return moduleBlocks(name)
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

describe('roles', () => {
  const roles = {
    worker: 'WorkerTaskTaskRoleDefaultPolicy',
    enqueuer: 'EnqueuerDefaultPolicy',
    operator: 'OperatorDefaultPolicy',
    console: 'ConsoleServiceTaskTaskRoleDefaultPolicy',
  };
  /** The template has neither bucket, topic nor bus. */
  const chosen = /REPORT_BUCKET|NOTIFY_/;

  test.each(Object.entries(roles))('%s: action by action, resource by resource', (role, id) => {
    expect(moduleStatements(role)).toEqual(allowed(role));
    const own = templateStatements(id).filter(({ Sid }) => Sid !== undefined);
    expect(lines(own)).toEqual(allowed(role).filter((line) => !chosen.test(line)));
  });

  test.each(Object.entries(roles))('%s: on the same conditions', (role, id) => {
    const inFiles = statements(`${role}.json`).flatMap(({ Condition = {} }) =>
      Object.entries(Condition).map(([check, values]) => [check, ...Object.entries(values).flat()]),
    );
    const inModule = moduleBlocks(role)
      .flatMap(({ condition = [] }) => condition as readonly Block[])
      .map(({ test: check, variable, values }) => [check, variable, named(String(values))]);
    const inTemplate = templateStatements(id).flatMap(({ Condition = {} }) =>
      Object.entries(Condition).map(([check, values]) => [
        check,
        ...Object.entries(values as Block).flatMap(([key, value]) => [key, placeholders(value)]),
      ]),
    );
    expect(inModule).toEqual(inFiles);
    expect(inTemplate).toEqual(inFiles);
  });

  test('each role has the policy of its name', () => {
    for (const role of ['worker', 'enqueuer', 'operator'])
      expect(module.resources.get(`aws_iam_role_policy.${role}`)?.policy).toBe(
        `\${data.aws_iam_policy_document.${role}.json}`,
      );
    const task = module.data.get('aws_iam_policy_document.console_task');
    expect(task?.source_policy_documents).toEqual(['${data.aws_iam_policy_document.console.json}']);
  });

  test('besides those, the console may use its state folder; ECS may start the containers', () => {
    const actions = (list: Lines): string[] => [...new Set(list.map((line) => line.replace(/ on .*/s, '')))];
    const more = templateStatements(roles.console).filter(({ Sid }) => Sid === undefined);
    expect(actions(moduleStatements('console_task'))).toEqual(actions(lines(more)));
    for (const [name, id] of [
      ['worker_execution', 'WorkerTaskExecutionRoleDefaultPolicy'],
      ['console_execution', 'ConsoleServiceTaskExecutionRoleDefaultPolicy'],
    ] as const)
      expect(actions(moduleStatements(name))).toEqual(actions(lines(templateStatements(id))));
  });

  test('are taken by ECS, or by people', () => {
    for (const role of ['worker', 'worker_execution', 'console', 'console_execution'])
      expect(module.resources.get(`aws_iam_role.${role}`)?.assume_role_policy).toContain('.tasks.json');
    for (const role of ['enqueuer', 'operator'])
      expect(module.resources.get(`aws_iam_role.${role}`)?.assume_role_policy).toContain('.people.json');
    const service = 'AssumeRolePolicyDocument.Statement.0.Principal.Service';
    expect(
      at(module.data.get('aws_iam_policy_document.tasks'), 'statement.0.principals.0.identifiers.0'),
    ).toBe(at(template.get('WorkerTaskTaskRole')?.Properties, service));
  });
});
