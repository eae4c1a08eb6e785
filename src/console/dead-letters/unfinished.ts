/** A redrive that was begun and has not ended, on disk: after a kill the next console goes on with it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readSmallFile, replaceSmallFile } from '../../files/small-file.ts';
import type { ChangeFacts } from './change-run.ts';

const FILE = 'console-redrive.json';
/** 120,000 message ids, as many as a pass can see. */
const MAX_BYTES = 8_000_000;

const schema = z.object({
  id: z.string(),
  by: z.string(),
  reason: z.string(),
  asked: z.object({
    action: z.literal('redrive'),
    where: z.array(z.string()),
    limit: z.number().optional(),
    rate: z.number().optional(),
    canary: z.number().optional(),
    force: z.boolean(),
  }),
  chosen: z.array(z.string()),
});

export interface Unfinished {
  readonly facts: ChangeFacts;
  readonly chosen: ReadonlySet<string>;
}

/** @throws the system's error: what cannot be kept is not begun. */
export async function keepUnfinished(folder: string, { facts, chosen }: Unfinished): Promise<void> {
  await replaceSmallFile(join(folder, FILE), JSON.stringify({ ...facts, chosen: [...chosen] }));
}

/** undefined where there is none; a phrase where it cannot be used. Never rejects. */
export async function readUnfinished(folder: string): Promise<Unfinished | string | undefined> {
  const path = join(folder, FILE);
  const file = await readSmallFile(path, { maxBytes: MAX_BYTES, links: false });
  if ('absent' in file) return undefined;
  if ('fault' in file) return `${path}: ${file.fault}`;
  const read = schema.safeParse(parse(file.text));
  if (!read.success) return `${path}: it is no redrive of this console`;
  const { chosen, asked, ...rest } = read.data;
  const { limit, rate, canary } = asked;
  return { facts: { ...rest, asked: { ...asked, limit, rate, canary } }, chosen: new Set(chosen) };
}

export async function forgetUnfinished(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
