/** The policies of deploy/iam in Terraform's language. */
import { readFileSync } from 'node:fs';

const roles = ['worker', 'enqueuer', 'operator', 'console'] as const;

/** The value for a placeholder; and the variable without which a statement with it is left out. */
const placeholders: Readonly<Record<string, { readonly value: string; readonly needs?: string }>> = {
  PARTITION: { value: 'local.partition' },
  REGION: { value: 'local.region' },
  ACCOUNT_ID: { value: 'local.account' },
  UPDATE_QUEUE: { value: 'aws_sqs_queue.updates.name' },
  DEAD_LETTER_QUEUE: { value: 'aws_sqs_queue.dead_letters.name' },
  OUTCOME_QUEUE: { value: 'aws_sqs_queue.outcomes.name' },
  KEY_ID: { value: 'local.key_id', needs: 'kms_key_arn' },
  REPORT_BUCKET: { value: 'var.report_bucket', needs: 'report_bucket' },
  NOTIFY_TOPIC: { value: 'local.notify_topic', needs: 'notify_topic_arn' },
  NOTIFY_BUS: { value: 'var.notify_event_bus', needs: 'notify_event_bus' },
};
const names = /[A-Z]+(?:_[A-Z]+)*/g;

interface Statement {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The text of deploy/terraform/policies.tf. */
export function terraformPolicies(): string {
  const documents = roles.map((role) => {
    const path = new URL(`../../deploy/iam/${role}.json`, import.meta.url);
    const { Statement } = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly Statement: readonly Statement[];
    };
    return `data "aws_iam_policy_document" "${role}" {\n${Statement.map(statementText).join('\n\n')}\n}\n`;
  });
  return `# Generated from deploy/iam by \`npm run generate\`: do not edit.\n\n${documents.join('\n')}`;
}

function statementText({ Sid, Action, Resource, Condition = {} }: Statement): string {
  const resources = [Resource].flat();
  const conditions = Object.entries(Condition).flatMap(([test, values]) =>
    Object.entries(values).flatMap(([variable, value]) => [
      '',
      'condition {',
      `  test     = ${JSON.stringify(test)}`,
      `  variable = ${JSON.stringify(variable)}`,
      `  values   = [${text(value)}]`,
      '}',
    ]),
  );
  const body = [
    `sid = ${JSON.stringify(Sid)}`,
    ...listText(
      'actions',
      Action.map((action) => JSON.stringify(action)),
    ),
    ...listText('resources', resources.map(text)),
    ...conditions,
  ];
  const needs = [...new Set(resources.flatMap((resource) => resource.match(names) ?? []))]
    .map((name) => placeholders[name]?.needs)
    .filter((variable) => variable !== undefined);
  const lines =
    needs.length === 0
      ? ['statement {', ...indent(body), '}']
      : [
          'dynamic "statement" {',
          `  for_each = ${needs.map((variable) => `var.${variable} == null`).join(' || ')} ? [] : [1]`,
          '  content {',
          ...indent(indent(body)),
          '  }',
          '}',
        ];
  return indent(lines).join('\n');
}

function listText(name: string, values: readonly string[]): string[] {
  return [`${name} = [`, ...values.map((value) => `  ${value},`), ']'];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

function text(value: string): string {
  return JSON.stringify(
    value.replace(/^arn:aws:/, 'arn:PARTITION:').replace(names, (name) => {
      const known = placeholders[name];
      if (known === undefined)
        throw new Error(`deploy/iam has the placeholder ${name}, which is unknown here`);
      return `\${${known.value}}`;
    }),
  );
}
