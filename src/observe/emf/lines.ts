/**
 * Metrics as lines in CloudWatch's embedded metric format: CloudWatch Logs turns such lines into metrics, so no agent is
 * needed. PURE.
 */
import { type EmfName, type EmfUnit, emfNameOf, emfNames, type NoEmfName } from './names.ts';

export const EMF_NAMESPACE = 'OtaUpdater';
/** The only dimension: the name of the source queue, which distinguishes deployments of the worker. */
export const EMF_DIMENSION = 'Queue';

/** Limits of the format: metrics per directive, and characters of a dimension's value. */
const MOST_METRICS = 100;
const MOST_CHARACTERS = 1_024;

/** One value of a metric. */
interface ReadValue {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  /** For a histogram: the name of the bucket, the sum or the count. */
  readonly metricName?: string;
}

/** A metric in the form of prom-client's registry. */
export interface ReadMetric {
  readonly name: string;
  /** `counter`, `gauge` or `histogram`; prom-client's own type for this field is wrong. */
  readonly type: unknown;
  readonly values: readonly ReadValue[];
}

const rows: ReadonlyMap<string, EmfName | NoEmfName> = new Map(Object.entries(emfNames));

/** A value for CloudWatch. */
interface Sample {
  readonly unit: EmfUnit;
  readonly value: number;
}

/** Turns the values of a registry into lines, repeatedly. */
export class EmfLines {
  readonly #queue: string;
  /** Values of counters at the previous line. */
  readonly #before = new Map<string, number>();
  /** Series with labels that have ever been other than 0: only they are sent, since each series costs money. */
  readonly #seen = new Set<string>();

  /** @param queueUrl the source queue's URL. */
  constructor(queueUrl: string) {
    const name = URL.parse(queueUrl)
      ?.pathname.split('/')
      .findLast((part) => part !== '');
    this.#queue = (name ?? 'unknown').slice(0, MOST_CHARACTERS);
  }

  /**
   * @param at epoch milliseconds.
   * @returns lines without their ends, each with at most a hundred metrics.
   */
  next(metrics: readonly ReadMetric[], at: number): string[] {
    const samples = [...this.#samples(metrics, at)].filter(([, { value }]) => Number.isFinite(value));
    const lines: string[] = [];
    for (let from = 0; from < samples.length; from += MOST_METRICS)
      lines.push(this.#line(samples.slice(from, from + MOST_METRICS), at));
    return lines;
  }

  #samples(metrics: readonly ReadMetric[], at: number): Map<string, Sample> {
    const samples = new Map<string, Sample>();
    for (const metric of metrics) {
      const row = rows.get(metric.name);
      if (row === undefined || 'leftOut' in row) continue;
      const add = (name: string, value: number, unit: EmfUnit = row.unit): void => {
        samples.set(name, { unit, value: (samples.get(name)?.value ?? 0) + value });
      };
      for (const each of metric.values) {
        const name = emfNameOf(row.name, valuesOf(row, each.labels));
        if (metric.type === 'gauge') this.#gauge(row, name, each.value, at, add);
        else if (metric.type === 'counter') this.#counter(row, name, each, add);
        else this.#histogram(name, each, add);
      }
    }
    return samples;
  }

  #gauge({ name: base, since }: EmfName, name: string, value: number, at: number, add: Add): void {
    const told = since === undefined ? value : secondsSince(value, at, since);
    if (name === base || this.#isSeen(name, told)) add(name, told);
  }

  /** Sent as a total, and by labels. */
  #counter({ name: base }: EmfName, name: string, { value, labels }: ReadValue, add: Add): void {
    const increase = this.#increase(`${base} ${JSON.stringify(labels)}`, value);
    add(base, increase);
    if (name !== base && this.#isSeen(name, increase)) add(name, increase);
  }

  /** CloudWatch can add up sums and counts of several workers, and divide them; it does not know buckets. */
  #histogram(name: string, { value, metricName }: ReadValue, add: Add): void {
    const part = /_(sum|count)$/.exec(metricName ?? '')?.[1];
    if (part === undefined) return;
    const full = emfNameOf(name, [part]);
    const increase = this.#increase(full, value);
    if (part === 'sum') add(full, increase);
    else add(full, increase, 'Count');
  }

  /** By how much a counter has grown. */
  #increase(key: string, now: number): number {
    const before = this.#before.get(key) ?? 0;
    this.#before.set(key, now);
    return now - before;
  }

  #isSeen(name: string, value: number): boolean {
    if (value !== 0) this.#seen.add(name);
    return this.#seen.has(name);
  }

  #line(samples: readonly (readonly [name: string, Sample])[], at: number): string {
    const directive = {
      Namespace: EMF_NAMESPACE,
      Dimensions: [[EMF_DIMENSION]],
      Metrics: samples.map(([Name, { unit: Unit }]) => ({ Name, Unit })),
    };
    return JSON.stringify({
      _aws: { Timestamp: Math.round(at), CloudWatchMetrics: [directive] },
      service: 'ota-updater',
      event: 'metrics',
      [EMF_DIMENSION]: this.#queue,
      ...Object.fromEntries(samples.map(([name, { value }]) => [name, value])),
    });
  }
}

type Add = (name: string, value: number, unit?: EmfUnit) => void;

/** NaN, which is not sent, for a time that has never been. */
function secondsSince(time: number, at: number, never: NonNullable<EmfName['since']>): number {
  if (time === 0) return never === 'or 0' ? 0 : Number.NaN;
  return Math.max(0, at / 1_000 - time);
}

function valuesOf({ by }: EmfName, labels: ReadValue['labels']): string[] {
  return Object.entries(labels)
    .filter(([label]) => label !== 'le' && (by === undefined || by.includes(label)))
    .map(([, value]) => String(value));
}
