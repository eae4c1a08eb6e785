/** Which role runs a command; deploy/iam has policies for these roles. */
export type Role = 'worker' | 'enqueuer' | 'operator' | 'console';

/** By command; `none` makes no request to AWS: `limits` asks Redis, and the sandbox has its own services. */
export const roles: Readonly<Record<string, Role | 'none'>> = {
  worker: 'worker',
  enqueue: 'enqueuer',
  'jobs plan': 'enqueuer',
  'jobs apply': 'enqueuer',
  'jobs pause': 'enqueuer',
  'jobs resume': 'enqueuer',
  'jobs set': 'enqueuer',
  'jobs stop': 'enqueuer',
  'jobs cancel': 'enqueuer',
  'jobs send': 'enqueuer',
  'jobs status': 'enqueuer',
  'jobs report': 'enqueuer',
  'jobs verify': 'enqueuer',
  'jobs retry': 'enqueuer',
  'jobs reconcile': 'enqueuer',
  'jobs undo': 'enqueuer',
  'jobs list': 'enqueuer',
  'jobs prune': 'enqueuer',
  'jobs log': 'enqueuer',
  'jobs export': 'enqueuer',
  'jobs import': 'enqueuer',
  'configs list': 'enqueuer',
  'configs show': 'enqueuer',
  'configs diff': 'enqueuer',
  'configs create': 'enqueuer',
  check: 'operator',
  'dead-letters list': 'operator',
  'dead-letters show': 'operator',
  'dead-letters export': 'operator',
  'dead-letters redrive': 'operator',
  'dead-letters purge': 'operator',
  status: 'operator',
  trace: 'operator',
  console: 'console',
  schema: 'none',
  'limits show': 'none',
  'limits set': 'none',
  'limits clear': 'none',
  health: 'none',
  sandbox: 'none',
  completion: 'none',
};

/** The commands of a role, sorted. */
export function commandsOf(role: Role): string[] {
  return Object.keys(roles)
    .filter((command) => roles[command] === role)
    .toSorted();
}
