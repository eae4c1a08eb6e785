/** Writes a worker's metrics for CloudWatch, once a minute. */
import type { Registry } from 'prom-client';
import { EmfLines } from './lines.ts';

/** Time between two lines, in milliseconds. */
export const EMF_EVERY_MS = 60_000;

interface EmfOptions {
  readonly registry: Pick<Registry, 'getMetricsAsJSON'>;
  /** URL of the source queue. */
  readonly queueUrl: string;
  /** Takes each line, including its line end. */
  readonly destination: { write(line: string): void };
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** @returns a function that stops it; it resolves when the counts since the last line are written. */
export function publishEmf({ registry, queueUrl, destination, now }: EmfOptions): () => Promise<void> {
  const lines = new EmfLines(queueUrl);
  const write = async (): Promise<void> => {
    try {
      for (const line of lines.next(await registry.getMetricsAsJSON(), now())) destination.write(`${line}\n`);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
  const timer = setInterval(() => void write(), EMF_EVERY_MS);
  // The timer must not keep a process alive whose start has failed.
  timer.unref();
  return () => {
    clearInterval(timer);
    return write();
  };
}
