/** Alert rules, their runbooks and the dashboards: what they ask for is there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { metricsSection } from '../../src/console/metrics/section.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { ask, serveConsole, tokens } from '../../testing/console/serve.ts';
import { installed } from '../../testing/installed.ts';
import { askServer } from '../../testing/processes/ask-server.ts';
import { well } from '../../testing/stages/snapshot.ts';

const alerts = readFileSync('deploy/prometheus/alerts.yaml', 'utf8');
const alertTests = readFileSync('deploy/prometheus/alerts.test.yaml', 'utf8');

const page = readFileSync('docs/watching.md', 'utf8');

/** Every series of a worker's `/metrics` and of a console's: names, with the labels that they have. */
async function served(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const url = await serveConsole({
    sections: [
      metricsSection({ use: (work) => work({ activeJobs: async () => [], listed: refuse }), now: () => 0 }),
    ],
  });
  const bearer = { headers: { authorization: `Bearer ${tokens.vic}` } };
  const { body, status } = await ask(`${url}/metrics`, bearer);
  expect(status).toBe(200);
  const { registry } = createMetrics(() => well);
  const worker = createHttpServer({ worker: 'w', snapshot: () => well, registry });
  const { body: ofWorker } = await askServer(worker, { path: '/metrics' });
  await worker.close();
  const text = `${ofWorker}\n${body}`;
  const series = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? /gm)) {
    const known = series.get(name) ?? new Set();
    series.set(name, known);
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) known.add(label);
  }
  return series;
}

const refuse = (): never => {
  throw new Error('there is no job');
};

/** What Prometheus adds to every series. */
const added = new Set(['job', 'instance']);
/** Words of PromQL that look like names of metrics. */
const words =
  /^(sum|max|min|count|rate|increase|absent|by|or|and|vector|histogram_quantile|label_values|le|[a-z]+_interval)$/;

/** Names of metrics in a query that are not served, and labels that the metric does not have. */
function unknownIn(query: string, series: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const bare = query.replaceAll(/by \([^)]*\)/g, '').replaceAll(/\[[^\]]*\]/g, '');
  const unknown: string[] = [];
  for (const [, name = '', selector = ''] of bare.matchAll(/([a-z][a-z_]*)(\{[^}]*\})?/g)) {
    if (words.test(name) || name === 'e') continue;
    const labels = series.get(name);
    if (labels === undefined) {
      if (/_/.test(name)) unknown.push(name);
      continue;
    }
    for (const [, label = ''] of selector.matchAll(/([a-z_]+)(?==|!=|=~|!~)/g))
      if (!labels.has(label) && !added.has(label)) unknown.push(`${name}{${label}}`);
  }
  return unknown;
}

const query = z.object({ expr: z.string(), datasource: z.object({ type: z.string(), uid: z.string() }) });
const dashboard = z.object({
  uid: z.string(),
  title: z.string(),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), type: z.string(), query: z.unknown() })),
  }),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      datasource: z.object({ uid: z.string() }),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(query).min(1),
    }),
  ),
});

describe('alert rules', () => {
  const rules = [...alerts.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n {6}- alert|$)/g)].map(
    ([, name = '', text = '']) => ({
      name,
      text,
    }),
  );

  test('ask for metrics that are served', async () => {
    const series = await served();
    expect(rules.length).toBeGreaterThan(8);
    for (const { name, text } of rules) {
      const expr = /expr: ([\s\S]*?)\n {8}for:/.exec(text)?.[1] ?? '';
      expect(unknownIn(expr, series), name).toEqual([]);
      expect(expr, name).toMatch(/ota_updater_|^up\{job="ota-updater/);
      // What Prometheus itself says, of the jobs that the page sets up.
      for (const [, job = ''] of expr.matchAll(/job="([^"]*)"/g))
        expect(page, name).toContain(`- job_name: ${job}\n`);
    }
  });

  test('each have a page that says what to do, and no page is without an alert', () => {
    const pages = rules.map(({ name, text }) => {
      const page = /runbook_url: https:\/\/ota-updater\.invalid\/(docs\/runbooks\/[a-z-]+\.md)\n?$/.exec(
        text.trimEnd(),
      )?.[1];
      expect(page && existsSync(page), `${name}: ${page}`).toBe(true);
      expect(readFileSync(page ?? '', 'utf8')).toContain(`\`${name}\``);
      return page;
    });
    expect(
      readdirSync('docs/runbooks')
        .map((file) => `docs/runbooks/${file}`)
        .sort(),
    ).toEqual(pages.sort());
  });

  test('are each seen to fire, and not to', () => {
    for (const { name } of rules) {
      expect(alertTests, name).toContain(`{ eval_time: 50m, alertname: ${name} }`);
      expect(alertTests, name).toMatch(new RegExp(`alertname: ${name}\\n +exp_alerts:`));
    }
  });

  const promtool = installed(['promtool'], 'the alert rules are not tested');
  test.skipIf(promtool === undefined)('and the queries of the dashboards pass the tests of promtool', () => {
    // Grafana's variables replaced, as it replaces them.
    const queries = ['workers', 'jobs'].flatMap((name) =>
      dashboard
        .parse(JSON.parse(readFileSync(`deploy/grafana/${name}.json`, 'utf8')))
        .panels.flatMap(({ targets }) =>
          targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*')),
        ),
    );
    const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
    const folder = mkdtempSync(join(tmpdir(), 'queries-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // YAML takes JSON.
    writeFileSync(join(folder, 'queries.yaml'), JSON.stringify({ groups: [{ name: 'queries', rules }] }));
    for (const args of [
      ['check', 'rules', join(folder, 'queries.yaml')],
      ['check', 'rules', 'alerts.yaml'],
      ['test', 'rules', 'alerts.test.yaml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: 'deploy/prometheus' });
      expect(status, `${stdout}${stderr}`).toBe(0);
    }
  });
});

test('the page explains each alarm of the stack as it is: metric, threshold and minutes', () => {
  const { Resources } = JSON.parse(readFileSync('deploy/cloudformation/ota-updater.json', 'utf8')) as {
    readonly Resources: Readonly<
      Record<
        string,
        {
          readonly Type: string;
          readonly Properties: Readonly<
            Record<'AlarmName' | 'MetricName' | 'Statistic' | 'ComparisonOperator', string>
          > &
            Readonly<Record<'Threshold' | 'EvaluationPeriods', number>>;
        }
      >
    >;
  };
  const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  expect(alarms).toHaveLength(6);
  for (const { Properties: each } of alarms) {
    const sign = each.ComparisonOperator === 'LessThanThreshold' ? '<' : '>';
    const minutes = each.EvaluationPeriods === 1 ? '1 minute' : `${each.EvaluationPeriods} minutes`;
    const name = each.AlarmName.replace('ota-updater-', '');
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row, name).toContain(`\`${each.MetricName}\``);
    expect(row, name).toContain(`\`${each.Statistic}\` ${sign} ${each.Threshold} for ${minutes}`);
  }
});

describe('the console that the page has Prometheus scrape', () => {
  const targets = [...page.matchAll(/targets: \['([^']+):8090'\]/g)].map(([, name = '']) => name);
  const compose = readFileSync('docker-compose.yml', 'utf8');
  const hosts = /^ +CONSOLE_HOSTS: (\S+)$/m.exec(compose)?.[1]?.split(',') ?? [];

  test('has the name that Compose gives it, and knows it', async () => {
    expect(targets).toEqual(['console']);
    expect(compose).toMatch(/^ {2}console:$/m);
    const url = `${await serveConsole({ hosts })}/livez`;
    const asked = (host: string) => ask(url, { headers: { host } });
    expect((await asked('console:8090')).status).not.toBe(403);
    expect((await asked('other:8090')).status).toBe(403);
  });

  test('has its own refusals told of on the page', () => {
    expect(page).toMatch(/`CONSOLE_HOSTS` \(`console` here/);
  });
});

describe.each(readdirSync('docs/runbooks'))('the runbook %s', (file) => {
  const code = [...readFileSync(`docs/runbooks/${file}`, 'utf8').matchAll(/`([^`]+)`/g)].map(
    ([, text = '']) => text.replaceAll(/\s+/g, ' '),
  );
  const reference = readFileSync('docs/reference/commands.md', 'utf8').split(/^(?=##)/m);

  test('names commands that exist, with flags that they have', () => {
    for (const command of code.filter((text) => /^ota-updater [a-z]/.test(text))) {
      const words = command.split(' ').slice(1);
      const section = [2, 1]
        .map((count) => words.slice(0, count).join(' '))
        .map((name) => reference.find((text) => new RegExp(`^#+ ${name}\\n`).test(text)))
        .find((text) => text !== undefined);
      expect(section, command).toBeDefined();
      for (const [flag] of command.matchAll(/--[a-z-]+/g)) expect(section, command).toContain(`  ${flag} `);
    }
  });

  test('names log lines that are written', () => {
    const logs = readFileSync('docs/reference/logs.md', 'utf8');
    for (const event of code.filter((text) => /^[a-z_]+\.[a-z_]+$/.test(text) && !text.startsWith('rate.')))
      expect(logs, event).toContain(`\`${event}\``);
  });
});

describe.each(['workers', 'jobs'])('the dashboard of %s', (name) => {
  const board = dashboard.parse(JSON.parse(readFileSync(`deploy/grafana/${name}.json`, 'utf8')));

  test('asks for metrics that are served', async () => {
    const series = await served();
    for (const { title, targets } of board.panels)
      for (const { expr } of targets) {
        expect(unknownIn(expr, series), `${title}: ${expr}`).toEqual([]);
        expect(expr, title).toMatch(/(ota_updater|process)_/);
      }
  });

  test('takes its data from the source that is chosen', () => {
    const [first] = board.templating.list;
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { datasource, targets } of board.panels)
      for (const { uid } of [datasource, ...targets.map((each) => each.datasource)])
        expect(uid).toMatch(/^\$\{datasource\}$/);
  });

  test('has its panels beside each other, each once', () => {
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of board.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

test('a query for what is not served is found', async () => {
  const series = await served();
  expect(unknownIn('sum(rate(ota_updater_call_total{result="x"}[5m]))', series)).toEqual([
    'ota_updater_call_total',
  ]);
  expect(unknownIn('max(ota_updater_gate{status!="open"})', series)).toEqual(['ota_updater_gate{status}']);
});
