/** The configured targets. Each is loaded only if configured. */
import type { TargetName } from '../outbox.ts';
import { secretKey } from '../signature.ts';
import type { Target } from '../target.ts';

/** From the settings `NOTIFY_…`. */
export interface NotifySettings {
  readonly notifyWebhookUrl: string | undefined;
  /** At least one if the URL is set. */
  readonly notifyWebhookSecret: readonly string[] | undefined;
  readonly notifyTopicArn: string | undefined;
  readonly notifyEventBus: string | undefined;
}

export interface TargetsContext {
  /** Holds the proxy variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: { readonly wall: () => number };
  /** Of this program. */
  readonly version: string;
}

/** The names of the configured targets, for which notices are entered. */
export function targetsOf(settings: NotifySettings): readonly TargetName[] {
  return [
    ...(settings.notifyWebhookUrl === undefined ? [] : (['webhook'] as const)),
    ...(settings.notifyTopicArn === undefined ? [] : (['sns'] as const)),
    ...(settings.notifyEventBus === undefined ? [] : (['eventbridge'] as const)),
  ];
}

/** Opens the targets. The caller must close each. */
export async function openTargets(
  settings: NotifySettings,
  { env, clock, version }: TargetsContext,
): Promise<readonly Target[]> {
  const { notifyWebhookUrl, notifyWebhookSecret = [], notifyTopicArn, notifyEventBus } = settings;
  const targets: Target[] = [];
  if (notifyWebhookUrl !== undefined) {
    const { createWebhook } = await import('./webhook.ts');
    const keys = notifyWebhookSecret.flatMap((secret) => secretKey(secret) ?? []);
    const userAgent = `ota-updater/${version}`;
    targets.push(createWebhook({ url: new URL(notifyWebhookUrl), keys, userAgent, now: clock.wall, env }));
  }
  if (notifyTopicArn !== undefined)
    targets.push((await import('./sns.ts')).createSnsTarget(notifyTopicArn, env));
  if (notifyEventBus !== undefined)
    targets.push((await import('./event-bridge.ts')).createEventBridgeTarget(notifyEventBus, env));
  return targets;
}
