/** A process that changes a job's rows locks the job first: transactions then run one after the other and cannot deadlock. */
import { OWN_COLUMNS, requireOwn } from '../shared/own.ts';
import type { Transaction } from './database.ts';

export async function lockJob(transaction: Transaction, key: number): Promise<void> {
  await transaction.run('SELECT 1 FROM jobs WHERE key = :key FOR NO KEY UPDATE', { key });
}

/** Locks the job to change its rows, or how they are sent. @throws JobMoved if another ledger has the job. */
export async function lockOwnJob(transaction: Transaction, key: number): Promise<void> {
  requireOwn((await transaction.all(ownJob, { key }))[0]);
}

const ownJob = `SELECT ${OWN_COLUMNS} FROM jobs WHERE key = :key FOR NO KEY UPDATE`;
