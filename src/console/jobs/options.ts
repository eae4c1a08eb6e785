/** What the jobs section needs. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { Clock } from '../../time/clock.ts';
import { PageError } from '../pages/page-error.ts';
import type { Desk } from './desk.ts';
import type { LedgerDoor } from './ledger-door.ts';
import type { Looks } from './looks.ts';

export interface JobsOptions {
  readonly door: LedgerDoor;
  readonly desk: Desk;
  readonly verifier: Looks<Verification>;
  readonly reconciler: Looks<Reconciled>;
  /** A name that no job has, for a job without a given name. */
  readonly newName: () => string;
  /** Maximum size of an upload. */
  readonly mostBytes: number;
  readonly commandLine: CommandLine;
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const named = z.object({ job: z.string().min(1).max(128) });
/** The job named in a path. */
export function jobOf(request: FastifyRequest): string {
  const { data } = named.safeParse(request.params);
  if (data === undefined) throw new PageError('There is no such job.', 404);
  return data.job;
}
