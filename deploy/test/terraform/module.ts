/** The Terraform module as a parser of HCL reads it. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '@cdktn/hcl2json';
import { z } from 'zod';

export const folder = new URL('../../terraform/', import.meta.url);

/** A block, or an attribute: texts hold references as `${…}`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Block = { readonly [name: string]: Json };

const block = z.record(z.string(), z.custom<Json>());
const byName = z.record(z.string(), z.record(z.string(), z.tuple([block])));
const file = z.strictObject({
  resource: byName,
  data: byName,
  locals: z.array(block),
  variable: z.record(z.string(), z.tuple([block])),
  output: z.record(z.string(), z.tuple([block])),
  terraform: z.tuple([block]),
});

export interface Module {
  /** By `TYPE.NAME`. */
  readonly resources: ReadonlyMap<string, Block>;
  readonly data: ReadonlyMap<string, Block>;
  readonly locals: Block;
  readonly variables: ReadonlyMap<string, Block>;
  readonly outputs: ReadonlyMap<string, Block>;
  /** The block `terraform`: versions. */
  readonly terraform: Block;
  /** All of it, as it was parsed. */
  readonly whole: Block;
}

/** A comparison of the module with the template, or with what is expected of it: it throws where something differs. */
type Register = (name: string, check: () => void) => void;
/** Comparisons of one kind. They are registered without being run, so that they can also be run on a changed module. */
export type Room = (module: Module, check: Register) => void;

/** The module's files as the parser gives them. @throws Error for what is no HCL. */
export async function parseModule(): Promise<Block> {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.tf'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
  return block.parse(await parse('module.tf', text));
}

/** @throws Error for what is no module. */
export function moduleOf(whole: Block): Module {
  const { resource, data, locals, variable, output, terraform } = file.parse(whole);
  const flat = (all: z.output<typeof byName>): Map<string, Block> =>
    new Map(
      Object.entries(all).flatMap(([type, named]) =>
        Object.entries(named).map(([name, [inside]]) => [`${type}.${name}`, inside] as const),
      ),
    );
  const single = (all: Readonly<Record<string, readonly [Block]>>): Map<string, Block> =>
    new Map(Object.entries(all).map(([name, [inside]]) => [name, inside]));
  return {
    resources: flat(resource),
    data: flat(data),
    locals: Object.assign({}, ...locals),
    variables: single(variable),
    outputs: single(output),
    terraform: terraform[0],
    whole,
  };
}

/** An expression on one line, without the braces around it. */
export const expression = (value: Json | undefined): string =>
  String(value)
    .replace(/^\$\{([\s\S]*)\}$/, '$1')
    .replace(/\s+/g, ' ')
    .replace(/([([]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1');

/** What `jsonencode({…})` encodes, if it has no further objects inside; undefined for another text. */
export function encoded(value: Json): Block | undefined {
  const inside = /^\$\{jsonencode\(\{\n([^{}]*)\n\s*\}\)\}$/.exec(String(value))?.[1];
  if (inside === undefined) return undefined;
  const entries = inside.split('\n').map((line) => {
    const [, name, text] = /^\s*(\w+)\s*= (\S.*)$/.exec(line) ?? [];
    if (name === undefined || text === undefined) throw new Error(`jsonencode with ${line}`);
    return [name, /^(\d+|".*")$/.test(text) ? (JSON.parse(text) as Json) : `\${${text}}`] as const;
  });
  return Object.fromEntries(entries);
}

export const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** By its name: who reaches whom; compared by both ends and the port. */
export const isRule = /^aws_vpc_security_group_(in|e)gress_rule\./;

/** How many a block makes with everything that can be chosen, in two subnets. @throws Error for a number that is not known here. */
export function instances({ count, for_each }: Block): number {
  if (for_each === '${local.queues}') return 3;
  if (for_each !== undefined) throw new Error(`for_each = ${JSON.stringify(for_each)}`);
  if (count === '${local.console ? length(var.subnet_ids) : 0}') return 2;
  if (
    count === undefined ||
    /^\$\{(local\.(console|oidc|ledger)|var\.valkey) \? 1 : 0\}$/.test(String(count))
  )
    return 1;
  throw new Error(`count = ${JSON.stringify(count)}`);
}

/** What stands at `a.0.b`; undefined where there is nothing. */
export function at(block: Json | undefined, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (inside, name) => (typeof inside === 'object' && inside !== null ? (inside as Block)[name] : undefined),
      block,
    );
}
