/** Who changes a job's rows locks the job first: transactions of several processes so come one after the other, and never in a circle. */
import type { Transaction } from './database.ts';

export async function lockJob(transaction: Transaction, key: number): Promise<void> {
  await transaction.run('SELECT 1 FROM jobs WHERE key = :key FOR NO KEY UPDATE', { key });
}
