/** Reads the policies in deploy/iam. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Their folder. */
export const policies = join(import.meta.dirname, '../../deploy/iam');

export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** For a field with one value or several. */
export const list = (value: string | readonly string[]): readonly string[] => [value].flat();

export function statements(path: string): readonly Statement[] {
  return (JSON.parse(readFileSync(join(policies, path), 'utf8')) as { Statement: Statement[] }).Statement;
}

/** `ACTION on RESOURCE` for everything that the policy of a role allows, sorted. @throws Error for duplicates. */
export function allowed(role: string): string[] {
  const all = statements(`${role}.json`).flatMap(({ Action, Resource }) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => `${action} on ${resource}`)),
  );
  if (new Set(all).size < all.length) throw new Error(`${role}.json allows something twice`);
  return all.toSorted();
}
