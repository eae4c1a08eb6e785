/** The update queue, its dead-letter queue and the queue of outcomes. */
import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface QueuesProps {
  /** Their names begin with it. */
  readonly name: string;
  /** Update queue and dead-letter queue are FIFO queues; outcomes need no order. Default: standard. */
  readonly fifo?: boolean | undefined;
  /** Encrypts all of them. Default: a key of SQS's own. */
  readonly key?: IKey | undefined;
}

/** As long as SQS keeps messages. */
const KEPT = Duration.days(14);
/** The most that SQS takes: a dead letter is its message, whole. */
const MOST_BYTES = 1_048_576;

export class Queues extends Construct {
  readonly updates: Queue;
  readonly deadLetters: Queue;
  readonly outcomes: Queue;

  constructor(scope: Construct, id: string, { name, fifo = false, key }: QueuesProps) {
    super(scope, id);
    const common: QueueProps = {
      retentionPeriod: KEPT,
      maxMessageSizeBytes: MOST_BYTES,
      receiveMessageWaitTime: Duration.seconds(20),
      enforceSSL: true,
      ...(key === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: key }),
    };
    const ordered = (what: string): QueueProps =>
      fifo
        ? { ...common, fifo, queueName: `${name}-${what}.fifo` }
        : { ...common, queueName: `${name}-${what}` };
    this.deadLetters = new Queue(this, 'DeadLetters', ordered('dead-letters'));
    this.updates = new Queue(this, 'Updates', {
      ...ordered('updates'),
      visibilityTimeout: Duration.seconds(30),
      // The worker dead-letters by itself. Without a policy AWS's own redrive refuses the queue; this one never fires.
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 1_000 },
    });
    this.outcomes = new Queue(this, 'Outcomes', { ...common, queueName: `${name}-outcomes` });
  }
}
