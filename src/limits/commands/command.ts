/** `limits`: RATE_LIMIT and MAX_CONCURRENCY of a running fleet, through Redis. */
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { misuse } from '../../cli/flags.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { readConfig } from '../../config.ts';
import { CommandError, causeOf } from '../../errors.ts';
import { type FleetLimit, type FleetLimits, FleetLimitsStore } from '../../ota/fleet-limits.ts';
import { limitsJson, limitsText } from '../view.ts';

interface ShowFlags {
  readonly json?: boolean;
}

interface SetFlags extends ShowFlags, ReasonFlags {
  readonly rate?: number;
  readonly concurrency?: number;
  readonly reason: string;
}

interface ClearFlags extends ShowFlags, ReasonFlags {
  readonly rate?: boolean;
  readonly concurrency?: boolean;
  readonly reason: string;
}

export function configureLimits(limits: Command, context: CommandContext): void {
  limits.description(
    'RATE_LIMIT and MAX_CONCURRENCY of all workers on REDIS_URL, changed while they run: within about two seconds each worker ' +
      'uses the lowest of its environment, its LIMITS_FILE and what is set here, and logs who has set it and why.',
  );
  limits
    .command('show')
    .description('Show what is set; `status` shows what is in force.')
    .option('--json', 'print it as one JSON object')
    .action((flags: ShowFlags) =>
      withStore(context, async (store) => print(await store.read(), flags, context)),
    );
  const set = limits
    .command('set')
    .description('Set one limit or both; a limit that is not named stays as it is.')
    .option('--rate <n>', 'maximum calls per second, for all workers together', readRate)
    .option('--concurrency <n>', 'maximum calls in flight, for each worker', readConcurrency)
    .option('--json', 'print what is then set as one JSON object');
  addReasonOptions(set, { required: true }).action((flags: SetFlags) => {
    const { rate, concurrency } = flags;
    if (rate === undefined && concurrency === undefined) throw misuse('Give --rate, --concurrency or both.');
    return change(flags, context, (limit) => ({
      ...(rate !== undefined && { rate: limit(rate) }),
      ...(concurrency !== undefined && { concurrency: limit(concurrency) }),
    }));
  });
  const clear = limits
    .command('clear')
    .description('Lift the limits that are set: both, or those that are named.')
    .option('--rate', 'the calls per second only')
    .option('--concurrency', 'the calls in flight only')
    .option('--json', 'print what is then set as one JSON object');
  addReasonOptions(clear, { required: true }).action((flags: ClearFlags) => {
    const both = flags.rate === flags.concurrency;
    return change(flags, context, (limit) => ({
      ...((both || flags.rate) && { rate: limit(null) }),
      ...((both || flags.concurrency) && { concurrency: limit(null) }),
    }));
  });
}

/** The accepted values are those of the setting, without `unlimited`: `clear` lifts a limit. */
function readRate(text: string): number {
  const value = settingOf({ RATE_LIMIT: text }, 'rateLimit');
  if (value !== undefined && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number of calls per second from 0.01 to 100000.');
}

function readConcurrency(text: string): number {
  const value = settingOf({ MAX_CONCURRENCY: text }, 'maxConcurrency');
  if (value !== undefined) return value;
  throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
}

function settingOf<Name extends 'rateLimit' | 'maxConcurrency'>(
  env: Readonly<Record<string, string>>,
  name: Name,
): number | undefined {
  try {
    return readConfig(env, [name])[name];
  } catch {
    return undefined;
  }
}

/** Writes what `limitsBy` returns, each limit with who set it, why and when, and prints what is set afterwards. */
function change(
  flags: ShowFlags & ReasonFlags & { readonly reason: string },
  context: CommandContext,
  limitsBy: (limit: (value: number | null) => FleetLimit) => Partial<Record<keyof FleetLimits, FleetLimit>>,
): Promise<void> {
  const said = {
    by: whoIs(context, flags.by),
    reason: flags.reason,
    at: new Date(context.clock.wall()).toISOString(),
  };
  return withStore(context, async (store) => {
    await store.write(limitsBy((value) => ({ value, ...said })));
    print(await store.read(), flags, context);
  });
}

function print(limits: FleetLimits, { json }: ShowFlags, { stdout, paint }: CommandContext): void {
  stdout.write(json === true ? limitsJson(limits) : paint(limitsText(limits)));
}

/** @throws CommandError when Redis cannot be reached, or holds something that is not a limit. */
async function withStore(
  { env }: CommandContext,
  work: (store: FleetLimitsStore) => Promise<void>,
): Promise<void> {
  const { redisUrl } = readConfig(env, [], ['redisUrl']);
  let store: FleetLimitsStore | undefined;
  try {
    store = await FleetLimitsStore.connect(redisUrl);
    await work(store);
  } catch (error) {
    throw new CommandError(`REDIS_URL: the limits cannot be read or written: ${causeOf(error)}`);
  } finally {
    store?.close();
  }
}
