/** One PostgreSQL for the tests of a file or a group, and an empty database for each test that asks for one. */
import pg from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { SCHEMA } from '../../src/jobs/ledger/postgres/schema.ts';
import { type PostgresServer, startPostgres } from './server.ts';

/** Call this where tests are described. @returns the server; use it only within tests and their hooks. */
export function postgresForTests(): () => PostgresServer {
  let running: PostgresServer | undefined;
  beforeAll(async () => {
    running = await startPostgres();
  });
  afterAll(async () => await running?.remove());
  return () => {
    if (running === undefined) throw new Error('PostgreSQL runs from the first test on');
    return running;
  };
}

/**
 * Databases with an empty ledger or with none, for tests that accept either: a database that an earlier test has used is
 * emptied, which takes a tenth of the CPU that a new one takes.
 * @returns a function that takes one for the running test, and returns its URL.
 */
export function ledgerDatabases(server: () => PostgresServer): () => Promise<string> {
  const used: string[] = [];
  return async () => {
    const url = used.pop();
    const ready = url === undefined ? server().createDatabase() : emptied(url);
    onTestFinished(async () => void used.push(await ready));
    return await ready;
  };
}

/** Empties the tables of the ledger in a database, but keeps them. @returns the given URL. */
export async function emptied(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ tables: string | null }>(
      `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') AS tables FROM pg_tables
        WHERE schemaname = '${SCHEMA}' AND tablename <> 'ledger'`,
    );
    const tables = rows[0]?.tables;
    if (tables != null) await client.query(`TRUNCATE ${tables} RESTART IDENTITY CASCADE`);
  } finally {
    await client.end();
  }
  return url;
}
