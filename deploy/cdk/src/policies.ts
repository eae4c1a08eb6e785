/** The policies of deploy/iam as statements: what is in those files is what a role may do, and nothing else is written here. */
import { readFileSync } from 'node:fs';
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

export type Role = 'worker' | 'enqueuer' | 'operator' | 'console';

/** What stands for the placeholders of deploy/iam; a statement about something that is not here is left out. */
export interface Names {
  readonly UPDATE_QUEUE: string;
  readonly DEAD_LETTER_QUEUE: string;
  readonly OUTCOME_QUEUE: string;
  readonly KEY_ID?: string | undefined;
  readonly REPORT_BUCKET?: string | undefined;
  readonly NOTIFY_TOPIC?: string | undefined;
  readonly NOTIFY_BUS?: string | undefined;
}

interface StatementJson {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const folder = new URL('../../iam/', import.meta.url);

/** The statements of a role, in the order of its file. */
export function statementsOf(role: Role, names: Names): PolicyStatement[] {
  const { Statement } = JSON.parse(readFileSync(new URL(`${role}.json`, folder), 'utf8')) as {
    readonly Statement: readonly StatementJson[];
  };
  return Statement.flatMap(({ Sid, Action, Resource, Condition = {} }) => {
    const resources = [Resource].flat().map((resource) => fill(resource, names));
    if (!resources.every((resource) => resource !== undefined)) return [];
    return new PolicyStatement({
      sid: Sid,
      actions: [...Action],
      resources,
      conditions: fillConditions(Condition, names),
    });
  });
}

/** undefined: it names something that is not there. */
function fill(text: string, names: Names): string | undefined {
  const all: Readonly<Record<string, string | undefined>> = {
    ...names,
    REGION: Aws.REGION,
    ACCOUNT_ID: Aws.ACCOUNT_ID,
  };
  let missing = false;
  const filled = text.replace(/[A-Z]+(?:_[A-Z]+)*/g, (name) => {
    const value = all[name];
    missing ||= value === undefined;
    return value ?? name;
  });
  return missing ? undefined : filled.replace(/^arn:aws:/, `arn:${Aws.PARTITION}:`);
}

function fillConditions(conditions: NonNullable<StatementJson['Condition']>, names: Names) {
  return Object.fromEntries(
    Object.entries(conditions).map(([operator, values]) => [
      operator,
      Object.fromEntries(
        Object.entries(values).map(([key, value]) => {
          const filled = fill(value, names);
          if (filled === undefined)
            throw new Error(`deploy/iam has a condition on ${value}, which is unknown`);
          return [key, filled];
        }),
      ),
    ]),
  );
}
