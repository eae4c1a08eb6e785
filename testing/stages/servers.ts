/** The servers of every stage: a real SQS server with its queues, on request as strict as AWS's, and the simulated API. */
import type { Message } from '../../src/message/message.ts';
import { createSqsClient, type SQSClient, type SQSClientConfig } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import {
  type SimulatedApi,
  type SimulatedApiOptions,
  startSimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';
import { type SqsJudge, startSqsServer } from '../sqs/server.ts';
import type { SqsServer } from '../sqs/sqs-server.ts';
import { type StrictSqs, startStrictSqs } from '../sqs/strict-sqs.ts';

export const REGION = 'eu-west-1';
export const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret-key-of-tests' };

export interface ServersOptions {
  /** The queues to create, with their attributes. `updates` and `dead` are FIFO queues if `fifo` is set. */
  readonly queues: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `updates` and `dead` are `updates.fifo` and `dead.fifo`, and SQS is strict. */
  readonly fifo: boolean;
  /** SQS is as strict as AWS's, even where the emulator is not. */
  readonly strict: boolean;
  readonly api: SimulatedApiOptions;
  /** Another SQS server than fauxqs. */
  readonly judge?: SqsJudge | undefined;
}

export class Servers {
  readonly sqs: SqsServer;
  readonly api: SimulatedApi;
  /** The SQS endpoint for clients. */
  readonly sqsUrl: string;
  readonly #strict: StrictSqs | undefined;
  readonly #fifo: boolean;
  readonly #clients: { destroy(): void }[] = [];

  private constructor(sqs: SqsServer, api: SimulatedApi, strict: StrictSqs | undefined, fifo: boolean) {
    this.sqs = sqs;
    this.api = api;
    this.sqsUrl = strict?.url ?? urlOf(sqs);
    this.#strict = strict;
    this.#fifo = fifo;
  }

  static async start({ queues, fifo, strict, api, judge }: ServersOptions): Promise<Servers> {
    const sqs = await startSqsServer(REGION, judge);
    const front = fifo || strict ? await startStrictSqs({ upstream: urlOf(sqs) }) : undefined;
    const servers = new Servers(sqs, await startSimulatedApi(api), front, fifo);
    for (const [queue, attributes] of Object.entries(queues)) {
      const name = servers.nameOf(queue);
      const kind = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
      sqs.createQueue(name, { region: REGION, attributes: { ...kind, ...attributes } });
    }
    await sqs.made?.();
    return servers;
  }

  /** The name of `updates` or `dead` in SQS; other queues are standard queues and keep their names. */
  nameOf(queue: string): string {
    return this.#fifo && (queue === 'updates' || queue === 'dead') ? `${queue}.fifo` : queue;
  }

  /** @param endpoint the SQS endpoint of its client, such as a proxy's. */
  queueUrl(queue: string, endpoint = this.sqsUrl): string {
    return `${endpoint}/000000000000/${this.nameOf(queue)}`;
  }

  /**
   * A queue over HTTP; its client is closed with the servers.
   * @param prepare called with the client.
   */
  queue(name: string, client: SQSClientConfig = {}, prepare: (client: SQSClient) => void = () => {}): Queue {
    const sqs = createSqsClient(50, { region: REGION, credentials, endpoint: this.sqsUrl, ...client });
    this.#clients.push(sqs);
    prepare(sqs);
    return new Queue(sqs, this.queueUrl(name));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.api.close();
    await this.#strict?.close();
    await this.sqs.stop();
  }
}

/**
 * Receives until the queue has no visible message left.
 * @param after called with each batch, for example to delete it; without it, the messages stay, invisible.
 */
export async function receiveAll(
  queue: Queue,
  after: (messages: readonly Message[]) => Promise<unknown> = async () => undefined,
  visibilitySeconds?: number,
): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const some = await queue.receive({
      max: 10,
      waitSeconds: 0,
      ...(visibilitySeconds !== undefined && { visibilitySeconds }),
    });
    if (some.length === 0) return all;
    all.push(...some);
    await after(some);
  }
}

function urlOf(sqs: SqsServer): string {
  return `http://127.0.0.1:${sqs.port}`;
}
