/** Whether this machine can store the data of jobs and the dead-letter commands. Nothing is created or changed. */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { causeOf, errorCode } from '../errors.ts';
import { type LedgerContext, type LedgerPlace, tryLedger } from '../jobs/ledger/open.ts';
import type { StateFacts } from './facts.ts';

/** A check must be quick. */
const PATIENCE = { ms: 2_000 };

/** The room on a disk, in blocks. */
type Room = (path: string) => Promise<{ readonly blocks: number; readonly bavail: number }>;

/** Never rejects because of a fault of the folder or the ledger. */
export async function tryState(
  { stateDir, ledgerUrl }: LedgerPlace,
  context: Omit<LedgerContext, 'holder'>,
  room: Room = statfs,
): Promise<StateFacts> {
  const path = resolve(stateDir);
  const fault = await faultOfFolder(path, room);
  if (ledgerUrl === undefined && fault !== undefined) return { path, fault, ledger: undefined };
  const ledger = await tryLedger(
    { stateDir: path, ledgerUrl },
    { ...context, holder: '', patience: PATIENCE },
  );
  return { path, fault, ledger };
}

/** Why nothing can be stored in a folder that exists, or could be created. */
async function faultOfFolder(path: string, room: Room): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return 'it is not a folder';
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const { blocks, bavail } = await room(path);
    // A file system without a size reports 0 of 0.
    return blocks > 0 && bavail === 0 ? 'the disk is full' : undefined;
  } catch (error) {
    const parent = dirname(path);
    // The commands create it when they need it.
    if (errorCode(error) === 'ENOENT' && parent !== path) return await faultOfParent(parent, room);
    return causeOf(error);
  }
}

async function faultOfParent(path: string, room: Room): Promise<string | undefined> {
  const fault = await faultOfFolder(path, room);
  return fault === undefined ? undefined : `${path}: ${fault}`;
}
