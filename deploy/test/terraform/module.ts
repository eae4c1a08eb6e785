/** The Terraform module as a parser of HCL reads it. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '@cdktn/hcl2json';
import { z } from 'zod';

export const folder = new URL('../../terraform/', import.meta.url);

/** A block, or an attribute: texts hold references as `${…}`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Block = { readonly [name: string]: Json };

const byName = z.record(z.string(), z.record(z.string(), z.tuple([z.record(z.string(), z.json())])));
const file = z.object({
  resource: byName,
  data: byName,
  locals: z.array(z.record(z.string(), z.json())),
});

export interface Module {
  /** By `TYPE.NAME`. */
  readonly resources: ReadonlyMap<string, Block>;
  readonly data: ReadonlyMap<string, Block>;
  readonly locals: Block;
}

/** @throws Error for what is no HCL. */
export async function readModule(): Promise<Module> {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.tf'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
  const { resource, data, locals } = file.parse(await parse('module.tf', text));
  const flat = (all: z.output<typeof byName>): Map<string, Block> =>
    new Map(
      Object.entries(all).flatMap(([type, named]) =>
        Object.entries(named).map(([name, [block]]) => [`${type}.${name}`, block] as const),
      ),
    );
  return { resources: flat(resource), data: flat(data), locals: Object.assign({}, ...locals) };
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
