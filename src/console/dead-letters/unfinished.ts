/** A redrive in progress, stored on disk: after a kill, the next console continues it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError, causeOf } from '../../errors.ts';
import { readSmallFile, replaceSmallFile } from '../../files/small-file.ts';
import type { ChangeFacts, Deed } from './change-run.ts';

const FILE = 'console-redrive.json';
/** Enough for 120,000 message ids, as many as a pass can see. */
const MAX_BYTES = 8_000_000;

const deed = { by: z.string(), reason: z.string() };
const schema = z.object({
  id: z.string(),
  ...deed,
  // Missing in a file of an older console.
  confirmed: z.object(deed).optional(),
  asked: z.object({
    action: z.literal('redrive'),
    where: z.array(z.string()),
    limit: z.number().optional(),
    rate: z.number().optional(),
    canary: z.number().optional(),
    force: z.boolean(),
  }),
  chosen: z.array(z.string()),
  letGo: z.boolean().default(false),
});

export interface Unfinished {
  readonly facts: ChangeFacts;
  /** Who approved it. */
  readonly confirmed: Deed;
  readonly chosen: ReadonlySet<string>;
  /** Whether the process that carried it out has released all letters: a killed process has not. */
  readonly letGo: boolean;
}

/** @throws CommandError if it cannot be stored: the redrive is then not begun. */
export async function keepUnfinished(
  folder: string,
  { facts, confirmed, chosen, letGo }: Unfinished,
): Promise<void> {
  const path = join(folder, FILE);
  try {
    await replaceSmallFile(path, JSON.stringify({ ...facts, confirmed, chosen: [...chosen], letGo }));
  } catch (error) {
    throw new CommandError(
      `${path} cannot be written: ${causeOf(error)}. A redrive that could not be continued after a restart is not begun.`,
    );
  }
}

/** undefined if there is none; a phrase if it cannot be used. Never rejects. */
export async function readUnfinished(folder: string): Promise<Unfinished | string | undefined> {
  const path = join(folder, FILE);
  const file = await readSmallFile(path, { maxBytes: MAX_BYTES, links: false });
  if ('absent' in file) return undefined;
  if ('fault' in file) return `${path}: ${file.fault}`;
  const read = schema.safeParse(parse(file.text));
  if (!read.success) return `${path}: it is not a redrive of this console`;
  const { id, by, reason, asked, confirmed = { by, reason }, chosen, letGo } = read.data;
  const { limit, rate, canary } = asked;
  const facts = { id, by, reason, asked: { ...asked, limit, rate, canary } };
  return { facts, confirmed, chosen: new Set(chosen), letGo };
}

/** Never rejects. @returns what failed, as a sentence without its full stop; or nothing. */
export async function forgetUnfinished(folder: string): Promise<readonly string[]> {
  const path = join(folder, FILE);
  try {
    await rm(path, { force: true });
    return [];
  } catch (error) {
    return [
      `${path} cannot be removed: ${causeOf(error)}. The next console will treat this redrive as unfinished, and continue it: remove the file`,
    ];
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
