/**
 * A ledger in a test's own process does not wait for the disk: no test cuts the power, and a kill loses nothing that was written. Each
 * such wait would block the whole process for milliseconds. Processes that tests start do wait.
 */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll } from 'vitest';

const { exec } = DatabaseSync.prototype;

beforeAll(() => {
  DatabaseSync.prototype.exec = function (sql) {
    exec.call(this, sql.replace('synchronous = FULL', 'synchronous = OFF'));
  };
});

afterAll(() => {
  DatabaseSync.prototype.exec = exec;
});
