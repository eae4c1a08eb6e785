/** The ledger's schema in a database: whether it exists, whether it is ours, and its migration. */
import { exitCodes } from '../../../errors.ts';
import type { LedgerAccess, LedgerUse } from '../ledger.ts';
import { LedgerError } from '../shared/error.ts';
import { Database, type DatabaseOptions, type Transaction } from './database.ts';
import { SCHEMA, schemaSteps } from './schema.ts';

const look = `SELECT to_regclass('${SCHEMA}.ledger') IS NOT NULL AS ours,
  EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('${SCHEMA}')) AS filled,
  pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS standby`;
const mayWrite = `SELECT has_table_privilege('${SCHEMA}.rows', 'UPDATE') AS granted`;

/**
 * Prepares the ledger for `use`. Only `create` creates a schema; `read` changes nothing without permission to do so.
 * @throws LedgerError if the schema belongs to another program, or to a later version of this one.
 */
export async function prepareSchema(db: Database, use: LedgerUse): Promise<LedgerAccess> {
  const access = await lookAt(db);
  if (access === 'none') {
    if (use !== 'create') return 'none';
    await migrate(db);
    return 'write';
  }
  if (access === 'read' && use !== 'read') {
    throw new LedgerError(
      `The ledger ${db.place} is read-only for this user. Use another one in LEDGER_URL, or GRANT this one what the operations page lists.`,
    );
  }
  if ((await versionOf(db)) === schemaSteps.length) return access;
  if (access === 'write') await migrate(db);
  else {
    throw new LedgerError(
      `The ledger ${db.place} is from an earlier version of this program, and this user may only read it. ` +
        'Run the command `jobs list` once as a user who may write it.',
    );
  }
  return access;
}

/** Checks whether the ledger can be used; changes nothing. @returns undefined if the database has none. */
export async function tryPostgresLedger(
  options: DatabaseOptions,
): Promise<{ readonly fault: string | undefined } | undefined> {
  try {
    const db = new Database(options);
    try {
      const access = await lookAt(db);
      if (access === 'none') return undefined;
      return {
        fault: access === 'write' ? undefined : `The ledger ${db.place} is read-only for this user`,
      };
    } finally {
      await db.close();
    }
  } catch (error) {
    if (error instanceof LedgerError) return { fault: error.message.replace(/\.$/, '') };
    throw error;
  }
}

async function lookAt(db: Database): Promise<LedgerAccess> {
  const { ours, standby } = await inspect(db, db.place);
  if (ours !== true) return 'none';
  return standby === true || (await db.all(mayWrite))[0]?.granted !== true ? 'read' : 'write';
}

type Reading = Pick<Transaction, 'all'>;

/** @throws LedgerError for a schema of another program, or of a later version of this one. */
async function inspect(db: Reading, place: string) {
  const [found = {}] = await db.all(look);
  if (found.ours !== true && found.filled === true) {
    throw new LedgerError(
      `The database ${place} has a schema ${SCHEMA} that is not a ledger but belongs to another program. It was not changed. Set LEDGER_URL to another database.`,
      undefined,
      exitCodes.misuse,
    );
  }
  const version = found.ours === true ? await versionOf(db) : 0;
  if (version > schemaSteps.length) {
    throw new LedgerError(
      `The ledger ${place} is from a later version of this program: its schema is ${version}, and this version knows only ${schemaSteps.length}. Use the later version.`,
      undefined,
      exitCodes.misuse,
    );
  }
  return found;
}

async function versionOf(db: Reading): Promise<number> {
  const [found] = await db.all(`SELECT max(version) AS version FROM ${SCHEMA}.ledger`);
  return Number(found?.version ?? 0);
}

/** Migrates the schema from its version to the present one, step by step, all or nothing. */
async function migrate(db: Database): Promise<void> {
  await db.transaction(async (transaction) => {
    // Another process that migrates may take long.
    await transaction.run('SET LOCAL lock_timeout = 0');
    await transaction.run(`SELECT pg_advisory_xact_lock(hashtext('${SCHEMA}'))`);
    // Checked again: another process may have migrated meanwhile.
    const { ours } = await inspect(transaction, db.place);
    if (ours !== true) {
      // The schema may exist already, created by its owner for a user who may not create one.
      const [there] = await transaction.all(`SELECT to_regnamespace('${SCHEMA}') IS NOT NULL AS there`);
      if (there?.there !== true) await transaction.run(`CREATE SCHEMA ${SCHEMA}`);
      await transaction.run(`CREATE TABLE ${SCHEMA}.ledger (version integer NOT NULL)`);
      await transaction.run(`INSERT INTO ${SCHEMA}.ledger VALUES (0)`);
    }
    for (const step of schemaSteps.slice(await versionOf(transaction))) await transaction.run(step);
    await transaction.run(`UPDATE ${SCHEMA}.ledger SET version = ${schemaSteps.length}`);
  });
}
