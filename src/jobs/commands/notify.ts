/** Sends notices while a command works on jobs, and those still pending at its end. */
import type { CommandContext } from '../../cli/context.ts';
import { deliverLast, deliverNotices } from '../../notices/deliver.ts';
import type { TargetName } from '../../notices/outbox.ts';
import { type NotifySettings, openTargets, targetsOf } from '../../notices/targets/index.ts';
import { version } from '../../version.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { outboxOf } from '../steer/outbox.ts';

/** The settings that name the targets of notices. */
export const notifySettings = [
  'notifyWebhookUrl',
  'notifyWebhookSecret',
  'notifyTopicArn',
  'notifyEventBus',
] as const satisfies readonly (keyof NotifySettings)[];

/** How long a command at its end keeps trying, in milliseconds. */
const LAST_MS = 15_000;

export interface NotifyContext {
  readonly context: CommandContext;
  readonly ledger: Pick<Ledger, 'job' | 'takeNotices' | 'noticeTold' | 'noticeFailed'>;
  readonly signal: AbortSignal;
  /** Tells the user a sentence, given without its full stop. */
  readonly say: (sentence: string) => void;
}

/**
 * Runs `work`, and sends notices during and after it: its own, and those that other processes have left. Without a target
 * it only runs `work`.
 * @param work receives the names of the targets to enter notices for.
 * @throws what `work` throws; otherwise what the ledger throws.
 */
export async function withNotices<T>(
  settings: NotifySettings,
  { context, ledger, signal, say }: NotifyContext,
  work: (targets: readonly TargetName[]) => Promise<T>,
): Promise<T> {
  const names = targetsOf(settings);
  if (names.length === 0) return await work(names);
  const outbox = outboxOf(ledger);
  const targets = await openTargets(settings, { ...context, version });
  const options = { ...context, signal, onTrouble: say };
  const end = new AbortController();
  const delivering = deliverNotices(outbox, targets, end.signal, options);
  // Handled below; this only prevents an unhandled rejection until then.
  delivering.catch(() => {});
  const finish = async (): Promise<void> => {
    end.abort();
    await delivering;
    if (await deliverLast(outbox, targets, LAST_MS, options))
      say('Undelivered notices are kept in the ledger: the next command that sends its jobs sends them');
  };
  try {
    const result = await work(names);
    await finish();
    return result;
  } catch (error) {
    // Notices of an aborted job are sent, too. The error of `work` matters more than an error here.
    await finish().catch(() => {});
    throw error;
  } finally {
    for (const target of targets) target.close();
  }
}
