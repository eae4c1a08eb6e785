/** Results of looks at a job's tasks, stored in the job's log: they survive this console, and other consoles see them. */
import { z } from 'zod';
import type { AuditLine } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { deviceStates } from '../../message/devices.ts';
import type { LooksSeen } from './job-page.ts';
import type { LookSeen, Looks } from './looks.ts';

/** The names of log lines for the start and the end of a look. */
export const lookLines = {
  verify: { begun: 'verify', ended: 'verified' },
  reconcile: { begun: 'reconcile', ended: 'reconciled' },
} as const;

/** The detail of the line that ends a look. */
export function endDetail(found: Reconciled | Verification): AuditLine['detail'] {
  if (!('devices' in found)) return { ...found };
  const { tasks, gone, unread, notHolding } = found;
  return { tasks, gone, unread, notHolding, found };
}

const count = z.number();
const task = z.object({ row: count, identifier: z.string() });
const verification = z.object({
  at: count,
  whole: z.boolean(),
  tasks: count,
  devices: z.record(z.enum(deviceStates), count),
  worst: z.array(task.extend({ ended: count, failed: count })),
  failedDevices: z.array(
    z.object({ identifier: z.string(), thing: z.string(), state: z.enum(deviceStates) }),
  ),
  notHolding: count,
  someNotHolding: z.array(task.extend({ field: z.string(), set: z.string(), now: z.string() })),
  gone: count,
  unread: count,
  unreadWhy: z.string().optional(),
});
const reconciled = z.object({ applied: count, again: count, gone: count, unknown: count });

type Log = Pick<Ledger, 'audit' | 'lastAudit'>;

/** The looks in progress in this console. */
export interface LooksHere {
  readonly verifier: Pick<Looks<Verification>, 'of'>;
  readonly reconciler: Pick<Looks<Reconciled>, 'of'>;
}

/** The known looks at a job's tasks. */
export async function looksSeen(
  ledger: Log,
  jobId: string,
  { verifier, reconciler }: LooksHere,
): Promise<LooksSeen> {
  const verified = await keptOf(ledger, jobId, 'verify', verificationOf);
  // Earlier releases put the end into the detail's top level.
  const ended = await keptOf(ledger, jobId, 'reconcile', (detail) => reconciled.safeParse(detail).data);
  return {
    verification: newer(verifier.of(jobId), verified),
    reconciliation: newer(reconciler.of(jobId), ended),
  };
}

/** For a look in progress, this console knows more; for completed looks, the log may have a later one of another console. */
function newer<Found>(here: LookSeen<Found> | undefined, kept: LookSeen<Found> | undefined) {
  if (here === undefined || here.state === 'looking') return here ?? kept;
  return kept === undefined || kept.state === 'cut-off' ? here : kept;
}

async function keptOf<Found>(
  ledger: Log,
  jobId: string,
  look: keyof typeof lookLines,
  read: (detail: AuditLine['detail']) => Found | undefined,
): Promise<LookSeen<Found> | undefined> {
  const { begun, ended } = lookLines[look];
  const line = await lastLine(ledger, jobId, begun, ended);
  if (line === undefined) return undefined;
  const { why } = line.detail;
  if (line.what === ended && typeof why === 'string') return { state: 'failed', why };
  const found = read(line.detail);
  return found === undefined ? { state: 'cut-off', since: line.at, who: line.who } : { state: 'seen', found };
}

/** Lines read at once. */
const PAGE = 100;

/**
 * The last line of the latest look: its end, or its start if it has not ended. An end may be logged late, after the start of a newer look,
 * so each end names its look. Those of earlier releases name none.
 */
async function lastLine(
  log: Log,
  jobId: string,
  begun: string,
  ended: string,
): Promise<AuditLine | undefined> {
  const last = await log.lastAudit(jobId, begun, ended);
  if (last === undefined || last.what === begun) return last;
  const begin = await log.lastAudit(jobId, begun, begun);
  const look = begin?.detail.look;
  if (begin === undefined || look === undefined || last.detail.look === look) return last;
  for (let before = last.seq; before > begin.seq; ) {
    const lines = await log.audit(PAGE, jobId, before);
    const end = lines.find(({ what, detail }) => what === ended && detail.look === look);
    if (end !== undefined) return end;
    before = lines.at(-1)?.seq ?? 0;
  }
  return begin;
}

function verificationOf({ found }: AuditLine['detail']): Verification | undefined {
  const { data } = verification.safeParse(found);
  return data && { ...data, unreadWhy: data.unreadWhy };
}
