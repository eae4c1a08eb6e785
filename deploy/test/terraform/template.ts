/** The templates with everything that can be chosen, as CDK made them. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Block, Json } from './module.ts';

const schema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.json()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.json() })),
  Parameters: z.record(z.string(), z.record(z.string(), z.json())),
});

export interface Resource {
  readonly Type: string;
  readonly Properties: Block;
}

/** Without what all logical ids begin with, and without the digest at the end. */
export const shortId = (id: string): string => id.replace(/^OtaUpdater/, '').replace(/[0-9A-F]{8}$/, '');

/** No template has everything that can be chosen. */
const templates = ['ledger', 'console'].map((name) => {
  const url = new URL(`../../cloudformation/ota-updater-${name}.json`, import.meta.url);
  return schema.parse(JSON.parse(readFileSync(url, 'utf8')));
});

/** What comes out, by name. */
export const outputs: Block = Object.fromEntries(
  templates.flatMap(({ Outputs }) => Object.entries(Outputs).map(([name, { Value }]) => [name, Value])),
);

/** What goes in, by name. */
export const parameters: Readonly<Record<string, Block>> = Object.assign(
  {},
  ...templates.map(({ Parameters }) => Parameters),
);

/** Resources by their short ids: all that can be chosen. */
export function readTemplate(): ReadonlyMap<string, Resource> {
  const found = templates.flatMap(({ Resources }) => Object.entries(Resources));
  const all = new Map(found.map(([id, resource]) => [shortId(id), resource]));
  if (all.size < new Set(found.map(([id]) => id)).size)
    throw new Error('two logical ids differ in their digest only');
  return all;
}

export const isReference = (names: readonly string[]): boolean =>
  names.length === 1 && /^(Ref|Fn::\w+)$/.test(names[0] ?? '');

/** An ARN or a text with references, with deploy/iam's placeholders in their places. */
export function placeholders(value: Json): string {
  if (typeof value === 'string') return value;
  const [[name, of] = ['', null]] = Object.entries(value ?? {});
  if (name === 'Fn::Join' && Array.isArray(of)) return (of[1] as readonly Json[]).map(placeholders).join('');
  if (name === 'Ref') return known[String(of)] ?? `{${String(of)}}`;
  if (name === 'Fn::GetAtt' && Array.isArray(of))
    return /Queues(Updates|DeadLetters|Outcomes)/.test(String(of[0])) && of[1] === 'QueueName'
      ? queue(String(of[0]))
      : `{${of.join('.')}}`;
  // The id in the ARN of the key.
  if (name === 'Fn::Select') return 'KEY_ID';
  throw new Error(`an unknown function: ${JSON.stringify(value)}`);
}

const known: Readonly<Record<string, string>> = {
  'AWS::Region': 'REGION',
  'AWS::AccountId': 'ACCOUNT_ID',
  'AWS::Partition': 'aws',
};

function queue(id: string): string {
  if (id.includes('Updates')) return 'UPDATE_QUEUE';
  return id.includes('DeadLetters') ? 'DEAD_LETTER_QUEUE' : 'OUTCOME_QUEUE';
}
