/** Opens the ledger that the settings name: a file on this machine, or a PostgreSQL shared by several machines. */
import { existsSync } from 'node:fs';
import type { Ledger, LedgerUse } from './ledger.ts';
import type { LedgerContext } from './shared/context.ts';

export { commandPatience, type LedgerContext, type Patience } from './shared/context.ts';

export interface LedgerPlace {
  /** Absolute path. */
  readonly stateDir: string;
  /** undefined: the ledger is in `stateDir`. */
  readonly ledgerUrl: string | undefined;
}

/**
 * @param use only `create` creates a missing ledger.
 * @throws LedgerError; so may every method of the ledger.
 */
export async function openLedgerAt(
  { stateDir, ledgerUrl }: LedgerPlace,
  use: LedgerUse,
  context: LedgerContext,
): Promise<Ledger> {
  if (ledgerUrl === undefined) {
    const { openLedger } = await import('./sqlite/ledger.ts');
    return await openLedger(stateDir, context, use);
  }
  // Loaded only when used.
  const { openPostgresLedger } = await import('./postgres/ledger.ts');
  return await openPostgresLedger({ ...context, url: ledgerUrl }, use);
}

/** Whether there is a ledger to ask; false for a file that does not exist yet. */
export async function hasLedger({ stateDir, ledgerUrl }: LedgerPlace): Promise<boolean> {
  if (ledgerUrl !== undefined) return true;
  const { ledgerPath } = await import('./sqlite/file.ts');
  return existsSync(ledgerPath(stateDir));
}

/** The result of a check that changes nothing in the ledger. */
export interface LedgerFacts {
  /** The setting that names it. */
  readonly setting: Ledger['setting'];
  /** Why the ledger cannot be used, as a sentence without its full stop; undefined: it can be used. */
  readonly fault: string | undefined;
}

/** Checks whether the ledger can be used; changes nothing. @returns undefined if there is none. Does not throw LedgerError. */
export async function tryLedger(
  { stateDir, ledgerUrl }: LedgerPlace,
  context: LedgerContext,
): Promise<LedgerFacts | undefined> {
  if (ledgerUrl === undefined) {
    const { tryLedgerFile } = await import('./sqlite/file.ts');
    const found = await tryLedgerFile(stateDir, context);
    return found && { setting: 'STATE_DIR', ...found };
  }
  const { tryPostgresLedger } = await import('./postgres/prepare.ts');
  const found = await tryPostgresLedger({ ...context, url: ledgerUrl });
  return found && { setting: 'LEDGER_URL', ...found };
}
