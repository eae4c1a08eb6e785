/** The emulators in a separate process, and requests to them other than the worker's. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../testing/processes/child.ts';
import { startSandbox } from '../../testing/processes/ota.ts';

const TOKEN = 'trace';
const COUNTS = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];

export class Cloud {
  readonly child: Child;
  /** The environment for a worker; without an outcome queue. */
  readonly env: Readonly<Record<string, string>>;
  readonly outcomeQueueUrl: string;

  private constructor(child: Child, env: Readonly<Record<string, string>>) {
    const { OUTCOME_QUEUE_URL = '', ...others } = env;
    this.child = child;
    this.env = others;
    this.outcomeQueueUrl = OUTCOME_QUEUE_URL;
  }

  /** @param root the checkout to take the sandbox from. */
  static async start(root: string): Promise<Cloud> {
    const flags = ['--no-worker', '--outcomes', '--api-limit', 'unlimited', '--api-latency', '5'];
    const script = [join(root, 'src/main.ts')];
    const { child, env } = await startSandbox(flags, { cwd: root, script, env: { SANDBOX_TOKEN: TOKEN } });
    return new Cloud(child, env);
  }

  async send(identifier: string): Promise<void> {
    const body = JSON.stringify({ Identifier: identifier, Description: 'traced' });
    await this.#sqs('SendMessage', { MessageBody: body });
  }

  /** Resolves when the source queue has no messages, visible or not. */
  async empty(): Promise<void> {
    for (;;) {
      const { Attributes } = await this.#sqs<{ Attributes: Record<string, string> }>('GetQueueAttributes', {
        AttributeNames: COUNTS,
      });
      if (COUNTS.every((name) => Attributes[name] === '0')) return;
      await sleep(20);
    }
  }

  /** The next `times` calls for this Identifier fail with 500. */
  async failNext(identifier: string, times: number): Promise<void> {
    const failure = { status: 500, errorType: 'InternalServerException' };
    const url = `${this.env.AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS}/_sandbox/script/${identifier}`;
    const response = await fetch(url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: times }, () => failure)),
    });
    if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  }

  async #sqs<Result>(action: string, input: object): Promise<Result> {
    const { QUEUE_URL, AWS_ENDPOINT_URL_SQS = '', AWS_REGION } = this.env;
    const response = await fetch(AWS_ENDPOINT_URL_SQS, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        authorization: `AWS4-HMAC-SHA256 Credential=trace/20260101/${AWS_REGION}/sqs/aws4_request`,
      },
      body: JSON.stringify({ QueueUrl: QUEUE_URL, ...input }),
    });
    if (!response.ok) throw new Error(`${action}: ${await response.text()}`);
    return (await response.json()) as Result;
  }
}
