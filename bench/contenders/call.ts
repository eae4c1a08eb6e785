/** The call as a user of a peer library would write it: the same SDK call that ota-updater makes. */
import Bottleneck from 'bottleneck';
import pRetry from 'p-retry';
import {
  IoTManagedIntegrationsClient,
  UpdateOtaTaskCommand,
} from '../../packages/client-iot-managed-integrations/src/index.ts';
import { paced } from './paced.ts';

/** Maximum calls in flight: the same as for the worker. */
export const IN_FLIGHT = 100;

interface Body {
  readonly Identifier: string;
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

/**
 * Applies the update in a message's body. With `BENCH_RATE` (calls per second), Bottleneck (one job per call) and p-retry
 * are added as their READMEs say, or a controller of the simulator if `BENCH_CONTROLLER` names one; the SDK's own retries
 * are then off. Otherwise `BENCH_RETRY_MODE` is the SDK's.
 */
export function createCall(): (body: string | undefined) => Promise<void> {
  const rate = process.env.BENCH_RATE === undefined ? undefined : Number(process.env.BENCH_RATE);
  const client = new IoTManagedIntegrationsClient({
    requestHandler: { httpAgent: { maxSockets: IN_FLIGHT, keepAlive: true } },
    ...(rate !== undefined && { maxAttempts: 1 }),
    ...(process.env.BENCH_RETRY_MODE !== undefined && { retryMode: process.env.BENCH_RETRY_MODE }),
  });
  const send = async (body: string | undefined): Promise<void> => {
    const { Identifier, Description, TaskConfigurationId } = JSON.parse(body ?? '') as Body;
    await client.send(
      new UpdateOtaTaskCommand({
        Identifier,
        ...(Description !== undefined && { Description }),
        ...(TaskConfigurationId !== undefined && { TaskConfigurationId }),
      }),
    );
  };
  if (rate === undefined) return send;
  const { BENCH_CONTROLLER } = process.env;
  if (BENCH_CONTROLLER !== undefined) return paced(BENCH_CONTROLLER, rate, send);
  const limiter = new Bottleneck({ minTime: 1_000 / rate, maxConcurrent: IN_FLIGHT });
  return (body) => pRetry(() => limiter.schedule(() => send(body)), { retries: 10 });
}

/** The queue that this contender drains. */
export function queueUrl(): string {
  const url = process.env.QUEUE_URL;
  if (url === undefined) throw new Error('QUEUE_URL is not set');
  return url;
}
