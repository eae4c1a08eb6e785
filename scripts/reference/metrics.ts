/** docs/reference/metrics.md */
import { jobGauges, ledgerGauge } from '../../src/console/metrics/gauges.ts';
import { deadLetterReasons } from '../../src/message/dead-letter-record.ts';
import { EMF_DIMENSION, EMF_NAMESPACE } from '../../src/observe/emf/lines.ts';
import { emfNames } from '../../src/observe/emf/names.ts';
import { deadLetterErrors } from '../../src/observe/metric-tables.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { conditionNames } from '../../src/worker/conditions.ts';
import { code, type Page, table } from './page.ts';

const PREFIX = 'ota_updater_';

/** The meaning of each label. */
const labels: Readonly<Record<string, string>> = {
  budget: '`none`, `shared` or `alone`',
  role: '`none`, `leading`, `following` or `alone`',
  condition: conditionNames.map(code).join(', '),
  disposition: '`acknowledge`, `dead-letter`, `defer` or `release`',
  error: `the name of the error: ${deadLetterErrors.map(code).join(', ')}; any other is \`other\``,
  field: '`Description` or `TaskConfigurationId`',
  fit: 'how the record was made to fit: see [dead letters](../../ARCHITECTURE.md#dead-letters)',
  limit: '`rate` (`RATE_LIMIT`) or `concurrency` (`MAX_CONCURRENCY`)',
  outcome: '`applied`, `superseded` or `dead-lettered`',
  queue: '`source`, `dead-letter` or `outcome`',
  reason: `of a dead letter: ${deadLetterReasons.map(code).join(', ')}; else empty`,
  request: 'the SQS request that failed',
  result: '`applied`, or the [kind of the failure](../../ARCHITECTURE.md#failures)',
  source: '`environment`, `file` (`LIMITS_FILE`) or `redis`',
  version: 'as `ota-updater --version` prints it',
  state:
    'of the gate: `open`, `outage`, `unreachable`, `denied` or `misconfigured`; of messages on a queue: `visible`, `in-flight` or `delayed`',
};

/** What prom-client knows about a metric; its types omit the labels. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

const sinceTexts = {
  'or nothing': 'seconds since then; not told for never',
  'or 0': 'seconds since then; 0 while they are not',
} as const;

/** Its rows in the table of names in CloudWatch. */
function inCloudWatch({ name, type, labelNames = [] }: Described): string[][] {
  const row = Object.entries(emfNames).find(([each]) => each === name)?.[1];
  if (row === undefined) throw new Error(`src/observe/emf/names.ts: name ${name}`);
  const of = code(name);
  if ('leftOut' in row) return [['', '', of, `left out: ${row.leftOut}`]];
  const by = row.by ?? labelNames;
  const labelled = by.length === 0 ? '' : ` and ${by.map(code).join(', ')}`;
  const since = row.since === undefined ? '' : sinceTexts[row.since];
  if (type === 'histogram')
    return ['Sum', 'Count'].map((part) => [
      `${code(row.name)}${labelled.replace(' and', ',')}, ${code(part)}`,
      part === 'Sum' ? row.unit : 'Count',
      of,
      '',
    ]);
  const told =
    type === 'gauge' && by.length > 0 ? `${code(row.name)} with ${by.map(code).join(', ')}` : code(row.name);
  const also = type === 'counter' && by.length > 0 ? `also by ${by.map(code).join(', ')}` : since;
  return [[told, row.unit, of, also]];
}

export const metricsPage: Page = {
  name: 'metrics.md',
  about: 'Every metric of `GET /metrics`',
  text: () => {
    const { registry } = createMetrics(() => {
      throw new Error('nothing is read while metrics are described');
    });
    const metrics = (registry.getMetricsAsArray() as unknown as Described[])
      .filter(({ name }) => name.startsWith(PREFIX))
      .sort((a, b) => a.name.localeCompare(b.name));
    const used = [...new Set(metrics.flatMap(({ labelNames = [] }) => labelNames))].sort();
    const unexplained = used.filter((label) => !Object.hasOwn(labels, label));
    if (unexplained.length > 0)
      throw new Error(`scripts/reference/metrics.ts: explain ${unexplained.join()}`);
    return `# Metrics

\`GET /metrics\` on \`HTTP_HOST\`:\`HTTP_PORT\` serves these in the Prometheus text format, together with prom-client's
default metrics of the process (\`process_*\`, \`nodejs_*\`). Each starts with \`${PREFIX}\`. Counters count since the
start of the process. No label holds an Identifier, a job or anything else that is unbounded.

${table(
  ['metric', 'type', 'labels', 'meaning'],
  metrics.map(({ name, type, labelNames = [], help }) => [
    code(name),
    type,
    labelNames.map(code).join(', '),
    help,
  ]),
)}

## Labels

${table(
  ['label', 'holds'],
  used.map((label) => [code(label), labels[label] ?? '']),
)}

## Of the console

\`GET /metrics\` of the console, for everyone who may read (\`Authorization: Bearer TOKEN\`), serves these of the jobs in its ledger. They are NaN while the
ledger cannot be read.

${table(
  ['metric', 'type', 'labels', 'meaning'],
  [ledgerGauge, ...jobGauges].map((each) => [
    code(each.name),
    'gauge',
    'labelNames' in each ? (each.labelNames ?? []).map(code).join(', ') : '',
    each.help,
  ]),
)}

## In CloudWatch

With \`METRICS=emf\` the worker writes the same once a minute, and when it stops, as lines in CloudWatch's embedded metric format:
namespace \`${EMF_NAMESPACE}\`, one dimension, \`${EMF_DIMENSION}\`, the name of the source queue. A counter holds what was counted since the
previous line. A metric with labels is also written for each label value, with that value in its name (\`CallsApplied\`, \`ConditionDeadLettering\`),
from the first time that it occurs. A gauge with labels is written only this way. [What to do with them](../watching.md#cloudwatch).

${table(['in CloudWatch', 'unit', 'of', ''], metrics.flatMap(inCloudWatch))}
`;
  },
};
