/** One PostgreSQL for the tests of a file or a group, and an empty database for each that asks for one. */
import { afterAll, beforeAll } from 'vitest';
import { type PostgresServer, startPostgres } from './server.ts';

/** To be called where tests are described. @returns the server; only within tests and their hooks. */
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
