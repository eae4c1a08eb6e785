/**
 * What every contender works against: emulator and API in separate processes, and queues with equal content.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import type { Child } from '../../testing/processes/child.ts';
import type { ApiLook } from './api-process.ts';
import { firstLine, startProcess } from './children.ts';
import type { SqsCounts } from './emulator-process.ts';
import type { ApiTimeline } from './timeline.ts';

interface Server {
  readonly url: string;
  readonly control: string;
}

const REGION = 'eu-west-1';
const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
/** Parallel batches while a queue is filled. */
const SENDERS = 8;

export class Stage {
  readonly #processes: readonly Child[];
  readonly #sqs: Server;
  readonly #api: Server;
  readonly #folder: string;
  readonly #client: SQSClient;
  #queues = 0;

  private constructor(processes: readonly Child[], folder: string, sqs: Server, api: Server) {
    this.#processes = processes;
    this.#folder = folder;
    this.#sqs = sqs;
    this.#api = api;
    this.#client = new SQSClient({ region: REGION, credentials, endpoint: sqs.url });
  }

  static async start(): Promise<Stage> {
    const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'ota-updater-bench-'));
    const sqs = startProcess([script('emulator-process.ts')]);
    const api = startProcess([script('api-process.ts')]);
    // Both at once: output that a process prints before anyone waits for it is lost.
    const servers = await Promise.all([firstLine<Server>(sqs), firstLine<Server>(api)]);
    return new Stage([sqs, api], folder, ...servers);
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await Promise.all(this.#processes.map((child) => child.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The environment with which a contender uses the stage. */
  env(queueUrl: string): Record<string, string> {
    return {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: this.#sqs.url,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: this.#api.url,
      QUEUE_URL: queueUrl,
      DEAD_LETTER_QUEUE_URL: `${queueUrl}-dead`,
      // Only for this stage: a worker of another run must not have stored a rate for it.
      STATE_DIR: this.#folder,
    };
  }

  /** Creates a queue, and another one for its dead letters. @returns its URL. */
  async createQueue(): Promise<string> {
    const name = `bench-${++this.#queues}`;
    for (const each of [name, `${name}-dead`]) {
      await this.#client.send(new CreateQueueCommand({ QueueName: each }));
    }
    return `${this.#sqs.url}/000000000000/${name}`;
  }

  async deleteQueue(queueUrl: string): Promise<void> {
    for (const each of [queueUrl, `${queueUrl}-dead`]) {
      await this.#client.send(new DeleteQueueCommand({ QueueUrl: each }));
    }
  }

  /** Sends updates for `prefix` plus a number, starting with `first`. */
  async fill(queueUrl: string, count: number, prefix = 'task', first = 0): Promise<void> {
    let next = first;
    const last = first + count;
    const send = async (): Promise<void> => {
      while (next < last) {
        const from = next;
        next = Math.min(last, from + 10);
        await this.#client.send(
          new SendMessageBatchCommand({
            QueueUrl: queueUrl,
            Entries: Array.from({ length: next - from }, (_, i) => ({
              Id: String(i),
              MessageBody: JSON.stringify({
                Identifier: `${prefix}${from + i}`,
                Description: 'a bench',
                RequestId: `row-${from + i}`,
              }),
            })),
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
  }

  /** Number of messages on the queue, visible or not. */
  async left(queueUrl: string): Promise<number> {
    const { Attributes = {} } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
    );
    const { ApproximateNumberOfMessages = 0, ApproximateNumberOfMessagesNotVisible = 0 } = Attributes;
    return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible);
  }

  /** Resets the counts, with these settings: a limit begins with a full bucket. */
  async reset(settings: SimulatedApiSettingsInput): Promise<void> {
    await this.configure({ limit: null });
    await this.configure({ latency: { minMs: 0, maxMs: 0 }, ...settings });
    await get(`${this.#api.control}/reset`);
    await get(`${this.#sqs.control}/reset`);
  }

  async configure(settings: SimulatedApiSettingsInput): Promise<void> {
    const body = JSON.stringify(settings);
    const response = await fetch(`${this.#api.url}/_sandbox/settings`, { method: 'PUT', body });
    if (!response.ok) throw new Error(`the API refuses ${body}: ${await response.text()}`);
  }

  look(): Promise<ApiLook> {
    return get<ApiLook>(`${this.#api.control}/look`);
  }

  timeline(): Promise<ApiTimeline> {
    return get<ApiTimeline>(`${this.#api.control}/timeline`);
  }

  sqsCounts(): Promise<SqsCounts> {
    return get<SqsCounts>(`${this.#sqs.control}/counts`);
  }
}

/** The number of requests for consuming. */
export function consumingRequests({ byAction }: SqsCounts): number {
  const actions = Object.entries(byAction).filter(([name]) => /^(Receive|Delete|ChangeMessage)/.test(name));
  return actions.reduce((sum, [, count]) => sum + count, 0);
}

async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}
