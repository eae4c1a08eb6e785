/** An example or two of every command, for its help. */
import type { CommandLine } from '../text/shell.ts';

interface Example {
  /** What follows the command's own name. */
  readonly args: readonly string[];
  /** What the example does, for readers who only look at examples. */
  readonly does: string;
}

/** By full command name, such as `jobs plan`; '' is the program. A test parses all of them. */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  '': [
    { args: ['sandbox'], does: 'try everything on this machine, without an AWS account' },
    { args: ['check'], does: 'is everything in place for a worker?' },
    { args: ['jobs', 'plan', 'updates.csv'], does: 'begin a bulk job' },
  ],
  jobs: [
    { args: ['plan', 'updates.csv'], does: 'what would change; nothing is sent' },
    { args: ['status', '--watch'], does: 'follow the last job' },
  ],
  'dead-letters': [{ args: ['list', '--group'], does: 'count the letters, by cause' }],
  worker: [{ args: [], does: 'configured by its environment; Ctrl-C drains and stops it' }],
  enqueue: [
    { args: ['updates.csv', '--dry-run'], does: 'check every row, send nothing' },
    {
      args: ['fleet.csv', '--column', 'Task ID=Identifier', '--ignore-column', 'Region'],
      does: 'a file with other columns',
    },
    { args: ['updates.csv', '--job', 'fleet-b7'], does: 'send the rows under the name of a job' },
  ],
  check: [{ args: [], does: 'what is wrong or unwise, and how to fix it' }],
  'dead-letters list': [
    { args: ['--group'], does: 'count the letters, by cause' },
    {
      args: ['--where', 'job=fleet-b7', '--where', 'newer=1h'],
      does: 'letters of one job, from the last hour',
    },
  ],
  'dead-letters show': [{ args: ['3f9a1c02'], does: 'one letter, by the id that the list shows' }],
  'dead-letters export': [
    { args: ['--out', 'letters.jsonl'], does: 'keep all letters in a file' },
    { args: ['--as', 'updates', '--out', 'updates.jsonl'], does: 'only the updates, to change and enqueue' },
  ],
  'dead-letters redrive': [
    { args: ['--all'], does: 'show what would be put back' },
    {
      args: ['--where', 'group=3f9a1c02', '--canary', '5', '--reason', 'cause fixed'],
      does: 'put five back first, and the others only if these are applied',
    },
  ],
  'dead-letters purge': [
    { args: ['--where', 'older=30d'], does: 'show what would be deleted' },
    {
      args: ['--where', 'older=30d', '--reason', 'obsolete', '--yes'],
      does: 'delete them without asking',
    },
  ],
  schema: [{ args: ['update'], does: 'for producers that check what they send' }],
  'jobs plan': [
    { args: ['updates.csv'], does: 'plan what a file says' },
    {
      args: ['report.csv', '--where', 'State=dead-lettered'],
      does: 'plan again what was dead-lettered, from the report of a job',
    },
    {
      args: ['--from-tasks', '--where', 'Status=SCHEDULED', '--set', 'TaskConfigurationId=cfgB7'],
      does: 'plan a change of all scheduled tasks',
    },
  ],
  'jobs apply': [
    { args: ['fleet-b7.plan.jsonl'], does: 'send the plan, and follow every row' },
    {
      args: ['fleet-b7.plan.jsonl', '--canary', '20', '--abort-when', 'failed>2%/200'],
      does: 'twenty rows first; stop when more than 2% fail',
    },
  ],
  'jobs resume': [{ args: ['fleet-b7'], does: 'send what is left of a job, and follow it' }],
  'jobs pause': [{ args: ['fleet-b7', '--reason', 'freeze'], does: 'send nothing more for now' }],
  'jobs set': [{ args: ['fleet-b7', '--rate', '50'], does: 'fifty rows a second at most, from now on' }],
  'jobs stop': [{ args: ['fleet-b7'], does: 'stop sending it, to continue another time' }],
  'jobs cancel': [{ args: ['fleet-b7'], does: 'end it for good; it asks first' }],
  'jobs send': [
    { args: [], does: 'a service: sends whatever is due, until SIGTERM' },
    { args: ['--once'], does: 'what is due now, as a scheduled task' },
  ],
  'jobs log': [{ args: ['fleet-b7'], does: 'who changed it, when and why' }],
  'jobs status': [
    { args: [], does: 'where the last job stands' },
    { args: ['fleet-b7', '--watch'], does: 'follow it until every row has ended' },
  ],
  'jobs report': [
    { args: ['fleet-b7', '--out', 'report.csv'], does: 'how every row ended, as a file' },
    { args: ['fleet-b7', '--to', 's3://reports/fleet'], does: 'file it in S3, with a manifest' },
  ],
  'jobs verify': [
    { args: ['fleet-b7'], does: 'what became of the devices so far' },
    { args: ['fleet-b7', '--watch'], does: 'follow them until every device has ended' },
  ],
  'jobs retry': [{ args: ['fleet-b7', '--only-failed'], does: 'another try for the rows that failed' }],
  'jobs reconcile': [{ args: ['fleet-b7'], does: 'ask the tasks about rows whose outcome is lost' }],
  'jobs undo': [{ args: ['fleet-b7'], does: 'plan to restore the values from before the job' }],
  'jobs prune': [
    { args: ['--older-than', '90d', '--dry-run'], does: 'what would be deleted from the ledger' },
  ],
  'jobs export': [
    { args: ['fleet-b7', '--out', 'fleet-b7.job'], does: 'move a job to a file, for another ledger' },
    { args: ['fleet-b7', '--copy', '--out', 'fleet-b7.copy'], does: 'make a backup; the job continues here' },
  ],
  'jobs import': [
    { args: ['fleet-b7.job'], does: 'enter a job in the ledger of STATE_DIR or LEDGER_URL' },
    {
      args: ['fleet-b7.job', '--take-over'],
      does: 'take back a job that was moved from here and imported nowhere else',
    },
  ],
  'jobs list': [{ args: [], does: 'all jobs, the last changed first' }],
  configs: [{ args: ['list'], does: 'all task configurations' }],
  'configs list': [{ args: [], does: 'all of them, with their names' }],
  'configs show': [{ args: ['cfgB7'], does: 'roll-out, abort and time-out settings' }],
  'configs diff': [
    { args: ['cfgA6', 'cfgB7'], does: 'what changes for tasks that switch to the second one' },
  ],
  'configs create': [
    {
      args: ['--from', 'cfgA6', '--set', 'MaximumPerMinute=100', '--set', 'AbortOnFailed=5%/50'],
      does: 'a slower roll-out that is aborted sooner',
    },
  ],
  status: [
    { args: [], does: 'the worker of this machine, and the queues' },
    {
      args: ['--workers', 'http://worker:8080', '--watch'],
      does: 'all workers behind a name, until Ctrl-C',
    },
  ],
  console: [{ args: ['--open-reading'], does: 'look at this machine’s worker at http://localhost:8090' }],
  limits: [
    { args: ['set', '--concurrency', '5', '--reason', 'the API is slow'], does: 'for every running worker' },
  ],
  'limits show': [{ args: [], does: 'what is set, by whom and why' }],
  'limits set': [
    {
      args: ['--rate', '20', '--reason', 'the API is slow'],
      does: '20 calls per second, all workers together',
    },
  ],
  'limits clear': [
    { args: ['--reason', 'it is over'], does: 'lift the limits: each environment applies again' },
  ],
  trace: [
    { args: ['pump17'], does: 'from the ledger, the dead-letter queue and the API' },
    { args: ['pump17', '--log', 'worker.log'], does: "with every attempt in a worker's log" },
  ],
  health: [{ args: [], does: 'exit code 0 if every worker of this container is alive' }],
  sandbox: [
    { args: [], does: 'run until Ctrl-C; it says how to use it' },
    {
      args: ['--api-limit', '50', '--api-faults', 'internalError=0.05'],
      does: 'a slow API that sometimes fails',
    },
    {
      args: ['--api-limit', '600/60s', '--api-faults', 'throttle=0.01'],
      does: 'an API that accepts 600 calls a minute, and sometimes throttles for no reason',
    },
  ],
  completion: [{ args: ['bash'], does: 'print the script' }],
};

/** The examples of a command in the form of its help; '' if there are none. */
export function examplesText(path: readonly string[], commandLine: CommandLine): string {
  const own = examples[path.join(' ')] ?? [];
  if (own.length === 0) return '';
  const lines = own.map(({ args, does }) => `  # ${does}\n  ${commandLine(...path, ...args)}`);
  return `\n${own.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`;
}
