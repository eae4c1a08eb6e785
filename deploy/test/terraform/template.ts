/** The template with everything that can be chosen, as CDK made it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Block, Json } from './module.ts';

const schema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.json()).default({}) }),
  ),
});

export interface Resource {
  readonly Type: string;
  readonly Properties: Block;
}

/** Resources by their logical ids, without what all of them begin with and without the digest at the end. */
export function readTemplate(): ReadonlyMap<string, Resource> {
  const url = new URL('../../cloudformation/ota-updater-console.json', import.meta.url);
  const { Resources } = schema.parse(JSON.parse(readFileSync(url, 'utf8')));
  const short = (id: string): string => id.replace(/^OtaUpdater/, '').replace(/[0-9A-F]{8}$/, '');
  const all = new Map(Object.entries(Resources).map(([id, resource]) => [short(id), resource]));
  if (all.size < Object.keys(Resources).length)
    throw new Error('two logical ids differ in their digest only');
  return all;
}

const isReference = (names: readonly string[]): boolean =>
  names.length === 1 && /^(Ref|Fn::\w+)$/.test(names[0] ?? '');

/** Every value that stands in the template itself, by its path; references are left out. */
export function literals(value: Json, path = ''): (readonly [path: string, value: Json])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const entries = Object.entries(value);
  if (!Array.isArray(value) && isReference(entries.map(([name]) => name))) return [];
  return entries.flatMap(([name, inside]) => literals(inside, path === '' ? name : `${path}.${name}`));
}

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
