/** Starts tracing if the environment asks for it. All of OpenTelemetry is loaded only then. */
import type { Environment } from '../config/environment.ts';
import type { SourceQueue } from '../dead-letters/changes/move.ts';
import type { Clock } from '../time/clock.ts';
import type { Tracing } from '../worker/tracing.ts';
import { neverThrows } from './never-throws.ts';
import type { Provider } from './provider.ts';
import { readTelemetry } from './settings.ts';
import type { IgnoredVariable } from './variable-reader.ts';
import type { TracedQueues } from './worker-spans.ts';

export interface TelemetryOptions {
  readonly env: Environment;
  readonly clock: Clock;
  /** Distinguishes this process from others of the same name. */
  readonly instance: string;
  /** A variable cannot be used, and is ignored. */
  readonly onIgnored: (ignored: IgnoredVariable) => void;
  /** How an export has ended: undefined if it succeeded. */
  readonly onExport: (error: Error | undefined) => void;
}

/** Sends the waiting spans; resolves after `mostMs` milliseconds at the latest. Never rejects. */
type Close = (mostMs: number) => Promise<void>;

export interface WorkerTelemetry {
  /** Of the collector. */
  readonly url: string;
  readonly tracing: Tracing;
  readonly close: Close;
}

/** Tracing for a worker; undefined if nothing is traced. */
export async function startWorkerTelemetry(
  options: TelemetryOptions,
  queues: TracedQueues,
): Promise<WorkerTelemetry | undefined> {
  const provider = await start(options);
  if (provider === undefined) return undefined;
  const { workerSpans } = await import('./worker-spans.ts');
  const { tracer, url, close } = provider;
  const spans = workerSpans({ tracer, clock: options.clock, ...queues });
  return { url, tracing: neverThrows(spans, warn), close };
}

export interface RedriveTelemetry {
  /** `source` unchanged, plus a span for each letter that it puts back. */
  readonly traced: (source: SourceQueue) => SourceQueue;
  readonly close: Close;
}

/** Tracing for redrives; undefined if nothing is traced. */
export async function startRedriveTelemetry(
  options: TelemetryOptions,
): Promise<RedriveTelemetry | undefined> {
  const provider = await start(options);
  if (provider === undefined) return undefined;
  const { tracedSource } = await import('./redrive-spans.ts');
  const { tracer, close } = provider;
  return { traced: (source) => tracedSource(source, { tracer, clock: options.clock, warn }), close };
}

async function start({
  env,
  instance,
  onIgnored,
  onExport,
}: TelemetryOptions): Promise<Provider | undefined> {
  const { settings, ignored } = readTelemetry(env);
  for (const each of ignored) onIgnored(each);
  if (settings === undefined) return undefined;
  const { createProvider } = await import('./provider.ts');
  return createProvider({ settings, instance, onExport });
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
