/** What looks at a job's tasks have found, as the job's log has it: so it outlives this console, and others see it. PURE. */
import { z } from 'zod';
import type { AuditLine } from '../../jobs/ledger/job.ts';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { deviceStates } from '../../message/devices.ts';
import type { LooksSeen } from './job-page.ts';
import type { LookSeen } from './looks.ts';

/** What is in the log when a look has begun, and when it has ended. */
export const lookLines = {
  verify: { begun: 'verify', ended: 'verified' },
  reconcile: { begun: 'reconcile', ended: 'reconciled' },
} as const;

/** Of a line that says that a look has ended. */
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

interface InMemory {
  readonly verification: LookSeen<Verification> | undefined;
  readonly reconciliation: LookSeen<Reconciled> | undefined;
}

/** @param log the last first. */
export function looksSeen(here: InMemory, log: readonly AuditLine[]): LooksSeen {
  const verified = lastOf(log, 'verify', verificationOf);
  // Earlier releases had the end in the first of its lines.
  const ended = lastOf(log, 'reconcile', (detail) => reconciled.safeParse(detail).data);
  return {
    verification: newer(here.verification, verified),
    reconciliation: newer(here.reconciliation, ended),
  };
}

/** What goes on here is known better here; of what has ended the log may have another console's. */
function newer<Found>(here: LookSeen<Found> | undefined, kept: LookSeen<Found> | undefined) {
  if (here === undefined || here.state === 'looking') return here ?? kept;
  return kept === undefined || kept.state === 'cut-off' ? here : kept;
}

function lastOf<Found>(
  log: readonly AuditLine[],
  look: keyof typeof lookLines,
  read: (detail: AuditLine['detail']) => Found | undefined,
): LookSeen<Found> | undefined {
  const { begun, ended } = lookLines[look];
  const line = log.find(({ what }) => what === begun || what === ended);
  if (line === undefined) return undefined;
  const { why } = line.detail;
  if (line.what === ended && typeof why === 'string') return { state: 'failed', why };
  const found = read(line.detail);
  return found === undefined ? { state: 'cut-off', since: line.at, who: line.who } : { state: 'seen', found };
}

function verificationOf({ found }: AuditLine['detail']): Verification | undefined {
  const { data } = verification.safeParse(found);
  return data && { ...data, unreadWhy: data.unreadWhy };
}
