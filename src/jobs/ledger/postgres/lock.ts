/** Who changes a job's rows locks the job first: transactions of several processes so come one after the other, and never in a circle. */
import { OWN_COLUMNS, requireOwn } from '../shared/own.ts';
import type { Transaction } from './database.ts';

export async function lockJob(transaction: Transaction, key: number): Promise<void> {
  await transaction.run('SELECT 1 FROM jobs WHERE key = :key FOR NO KEY UPDATE', { key });
}

/** The same for who changes rows, or what they are sent by. @throws JobMoved where another ledger has the job. */
export async function lockOwnJob(transaction: Transaction, key: number): Promise<void> {
  requireOwn((await transaction.all(ownJob, { key }))[0]);
}

const ownJob = `SELECT ${OWN_COLUMNS} FROM jobs WHERE key = :key FOR NO KEY UPDATE`;
