/** The console's metrics about the jobs in its ledger. docs/reference/metrics.md is generated from this table. PURE. */
import type { Counts } from '../../jobs/ledger/job.ts';

/** States of jobs that a sender may have work on. */
export const activeStates = ['scheduled', 'running', 'paused', 'stopping'] as const;
type ActiveState = (typeof activeStates)[number];

const rowStates = {
  planned: 'planned',
  'in-flight': 'inFlight',
  applied: 'applied',
  superseded: 'superseded',
  failed: 'failed',
  'not-sent': 'notSent',
} as const satisfies Readonly<Record<string, keyof Counts>>;

/** One active job at one moment. */
export interface SeenJob {
  readonly state: ActiveState;
  /** Whether a process has the lease on sending it. */
  readonly leased: boolean;
  readonly counts: Counts;
  /** For how long rows have been in flight without any ending, in milliseconds. */
  readonly silentMs: number;
}

type Labels = Readonly<Record<string, string>>;

interface JobGauge {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** A value; or, with labels, one value for each combination of them. */
  readonly read: (jobs: readonly SeenJob[]) => number | readonly (readonly [labels: Labels, value: number])[];
}

/** Whether the ledger answers; if not, the others are NaN. */
export const ledgerGauge = {
  name: 'ota_updater_ledger_up',
  help: 'Whether the ledger of jobs could be read: 1 or 0.',
} as const;

const ACTIVE = 'Active: scheduled, running, paused or stopping.';

export const jobGauges: readonly JobGauge[] = [
  {
    name: 'ota_updater_jobs',
    help: `Active jobs, by state. ${ACTIVE}`,
    labelNames: ['state'],
    read: (jobs) =>
      activeStates.map((state) => [{ state }, jobs.filter((job) => job.state === state).length]),
  },
  {
    name: 'ota_updater_jobs_unsent',
    help: 'Jobs that are running or stopping, and that no process sends: is a console or `jobs send` running?',
    read: (jobs) =>
      jobs.filter(({ state, leased }) => !leased && (state === 'running' || state === 'stopping')).length,
  },
  {
    name: 'ota_updater_job_rows',
    help: 'Rows of the active jobs, by state.',
    labelNames: ['state'],
    read: (jobs) =>
      Object.entries(rowStates).map(([state, name]) => [
        { state },
        jobs.reduce((sum, { counts }) => sum + counts[name], 0),
      ]),
  },
  {
    name: 'ota_updater_job_silence_seconds',
    help: 'Longest time that an active job has had rows in flight without any of them ending, as seen by this console.',
    read: (jobs) => Math.max(0, ...jobs.map(({ silentMs }) => silentMs / 1_000)),
  },
];
