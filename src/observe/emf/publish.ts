/** Writes a worker's metrics for CloudWatch, once a minute. */
import type { Registry } from 'prom-client';
import { EmfLines } from './lines.ts';

/** Time between two lines, in milliseconds. */
export const EMF_EVERY_MS = 60_000;

interface EmfOptions {
  readonly registry: Pick<Registry, 'getMetricsAsJSON'>;
  /** Of the source queue. */
  readonly queueUrl: string;
  /** Takes each line, with its end. */
  readonly destination: { write(line: string): void };
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** @returns stops it; resolves after what was counted since the last line is written. */
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
  // A start that fails must not wait for it.
  timer.unref();
  return () => {
    clearInterval(timer);
    return write();
  };
}
