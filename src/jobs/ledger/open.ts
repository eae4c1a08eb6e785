/** The ledger that the settings name: a file of this machine, or a PostgreSQL that several machines use. */
import { existsSync } from 'node:fs';
import type { Ledger, LedgerUse } from './ledger.ts';
import type { LedgerContext } from './shared/context.ts';

export { commandPatience, type LedgerContext, type Patience } from './shared/context.ts';

export interface LedgerPlace {
  /** From the root. */
  readonly stateDir: string;
  /** undefined: the ledger is in `stateDir`. */
  readonly ledgerUrl: string | undefined;
}

/**
 * @param use only `create` makes a ledger where there is none.
 * @throws LedgerError, also from every method of the ledger.
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
  // Loaded when used.
  const { openPostgresLedger } = await import('./postgres/ledger.ts');
  return await openPostgresLedger({ ...context, url: ledgerUrl }, use);
}

/** Whether there is a ledger to ask: a file that nobody has made yet is none. */
export async function hasLedger({ stateDir, ledgerUrl }: LedgerPlace): Promise<boolean> {
  if (ledgerUrl !== undefined) return true;
  const { ledgerPath } = await import('./sqlite/file.ts');
  return existsSync(ledgerPath(stateDir));
}

/** What was found of a ledger that nothing was changed of. */
export interface LedgerFacts {
  /** The setting that names it. */
  readonly setting: Ledger['setting'];
  /** Why it cannot be used, as a sentence without its full stop; undefined: it can be. */
  readonly fault: string | undefined;
}

/** Looks whether the ledger can be used, and changes nothing. @returns undefined where there is none. Does not throw LedgerError. */
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
