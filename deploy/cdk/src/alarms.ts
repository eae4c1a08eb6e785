/** Alarms: what SQS says of the queues, and what workers say of themselves with METRICS=emf (docs/watching.md). */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Queues } from './queues.ts';

export interface AlarmsProps {
  readonly name: string;
  readonly queues: Queues;
  /** Told of alarms, and of their ends. */
  readonly topic?: ITopic | undefined;
  /** An update that waits for longer is too late. */
  readonly tooOld: Duration;
}

/** As the worker has them: a test holds them to its table of names. */
export const NAMESPACE = 'OtaUpdater';
export const DIMENSION = 'Queue';

interface Watched {
  readonly metric: Metric;
  readonly above: number;
  /** In minutes. */
  readonly minutes: number;
  readonly says: string;
}

export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { name, queues, topic, tooOld }: AlarmsProps) {
    super(scope, id);
    const period = Duration.minutes(1);
    const own = (metricName: string): Metric =>
      new Metric({
        namespace: NAMESPACE,
        metricName,
        dimensionsMap: { [DIMENSION]: queues.updates.queueName },
        statistic: Stats.MAXIMUM,
        period,
      });
    const watched: Readonly<Record<string, Watched>> = {
      OldestUpdate: {
        metric: queues.updates.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period }),
        above: tooOld.toSeconds(),
        minutes: 5,
        says: 'More updates come in than the rate lets out, or none goes through.',
      },
      DeadLetters: {
        metric: queues.deadLetters.metricApproximateNumberOfMessagesVisible({
          statistic: Stats.MAXIMUM,
          period,
        }),
        above: 0,
        minutes: 1,
        says: 'Updates were given up: ota-updater dead-letters list --group',
      },
      CallsPaused: {
        metric: own('CallsPaused'),
        above: 0,
        minutes: 5,
        says: 'The gate is closed: calls are paused for a cause that is not in the messages. /readyz and the log say which.',
      },
      PollStalled: {
        metric: own('PollStalled'),
        above: 60,
        minutes: 1,
        says: 'A worker wants messages, and no poll has ended for a minute.',
      },
      RetentionUsed: {
        metric: own('RetentionUsed'),
        above: 0.5,
        minutes: 1,
        says: 'Updates are half as old as the queue keeps them; at 0.9 they are dead-lettered.',
      },
    };
    for (const [what, { metric, above, minutes, says }] of Object.entries(watched)) {
      const alarm = new Alarm(this, what, {
        alarmName: `${name}-${what}`,
        alarmDescription: says,
        metric,
        threshold: above,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: minutes,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      this.#tell(alarm, topic);
    }
    const silent = new Alarm(this, 'WorkersSilent', {
      alarmName: `${name}-WorkersSilent`,
      alarmDescription: 'No worker writes metrics: none runs, or METRICS is not emf.',
      metric: own('HeldMessages').with({ statistic: Stats.SAMPLE_COUNT }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 5,
      treatMissingData: TreatMissingData.BREACHING,
    });
    this.#tell(silent, topic);
  }

  #tell(alarm: Alarm, topic: ITopic | undefined): void {
    if (topic === undefined) return;
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }
}
