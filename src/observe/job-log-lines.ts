/**
 * Every line that `jobs send` logs in addition to those of the worker. docs/reference/logs.md is generated from
 * this table.
 */
import { line } from './log-line.ts';

const job = ['jobId'] as const;

export const jobLogLines = {
  ready: line('info', 'jobs.ready', 'sending the jobs of this ledger that are due', ['version', 'ledger']),
  taken: line('info', 'job.taken', 'this process sends the job', [...job, 'state', 'rows']),
  progress: line('info', 'job.progress', 'progress of the job', [
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
  trouble: line('warn', 'job.trouble', 'a problem with jobs or their notices, or the end of one', ['what']),
  ended: line('info', 'job.ended', 'the job has ended', [...job, 'state', 'reason', 'repeated']),
  stopped: line('warn', 'job.stopped', 'the job stopped before its end', [
    ...job,
    'state',
    'reason',
    'repeated',
  ]),
  left: line('warn', 'job.left', '`--once`: the job is due, but another process has it', [
    ...job,
    'state',
    'since',
    'by',
  ]),
  failed: line('error', 'job.failed', 'the job could not be sent; trying again', [...job, 'error']),
  draining: line('info', 'jobs.draining', 'no more jobs are taken; what is being sent is recorded'),
  stoppedAll: line('info', 'jobs.stopped', 'this process sends no more jobs'),
} as const;
