/**
 * Every line that `jobs send` logs in addition to those of the worker. docs/reference/logs.md is generated from
 * this table.
 */
import { line } from './log-line.ts';

const job = ['jobId'] as const;

export const jobLogLines = {
  ready: line('info', 'jobs.ready', 'sending the jobs of this ledger that are due', ['version', 'ledger']),
  taken: line('info', 'job.taken', 'this process sends the job', [...job, 'state', 'rows']),
  progress: line('info', 'job.progress', 'how far the job is', [
    ...job,
    'state',
    'rows',
    'open',
    'inFlight',
    'applied',
    'superseded',
    'failed',
    'rate',
    'window',
  ]),
  said: line('info', 'job.note', 'a note about a job', ['what']),
  trouble: line('warn', 'job.trouble', 'what keeps jobs, or word of them, from going on, or no longer does', [
    'what',
  ]),
  ended: line('info', 'job.ended', 'the job has come to its end', [...job, 'state', 'reason', 'repeated']),
  stopped: line('warn', 'job.stopped', 'the job stopped before its end', [
    ...job,
    'state',
    'reason',
    'repeated',
  ]),
  left: line('warn', 'job.left', '`--once`: the job is due, and another process has it', [
    ...job,
    'state',
    'since',
    'by',
  ]),
  failed: line('error', 'job.failed', 'the job could not be sent: tried again', [...job, 'error']),
  draining: line('info', 'jobs.draining', 'no job is taken any more: what is being sent is recorded'),
  stoppedAll: line('info', 'jobs.stopped', 'no job is sent by this process any more'),
} as const;
