/** Writes results to files: results.json, README.md and the plots beside it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import type { ScenarioResult, Table, Target } from './result.ts';

/** A scenario's result, and the environment it was measured in. */
export interface Recorded {
  readonly at: string;
  readonly command: string;
  readonly quick: boolean;
  readonly loadBefore: number;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly plots: readonly string[];
  readonly result: Omit<ScenarioResult, 'plots'>;
}

export type Results = Record<string, Recorded>;

const folder = new URL('../results/', import.meta.url);
const VERSIONS_OF = [
  '@aws-sdk/client-sqs',
  'sqs-consumer',
  'squiss-ts',
  'bottleneck',
  'p-retry',
  'fauxqs',
] as const;

/** The results of earlier runs: scenarios that are not run again keep theirs. */
export async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await readFile(new URL('results.json', folder), 'utf8')) as Results;
  } catch {
    return {};
  }
}

export async function record(
  result: ScenarioResult,
  run: Pick<Recorded, 'command' | 'quick' | 'loadBefore' | 'seconds'>,
): Promise<Recorded> {
  await mkdir(folder, { recursive: true });
  const { plots = [], ...rest } = result;
  for (const { name, svg } of plots) await writeFile(new URL(`${name}.svg`, folder), svg);
  return {
    at: new Date().toISOString(),
    ...run,
    machine: {
      system: `${platform()} ${release()} ${arch()}`,
      cpu: `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}`,
      memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    },
    versions: { node: process.version, ...(await versions()) },
    plots: plots.map(({ name }) => `${name}.svg`),
    result: rest,
  };
}

export async function writeResults(results: Results, order: readonly string[]): Promise<void> {
  const sorted = Object.fromEntries(
    order.flatMap((name) => (results[name] === undefined ? [] : [[name, results[name]]])),
  );
  await writeFile(new URL('results.json', folder), `${JSON.stringify(sorted, null, 2)}\n`);
  await writeFile(new URL('README.md', folder), markdown(sorted));
}

function markdown(results: Results): string {
  const sections = Object.entries(results).map(([name, recorded]) => section(name, recorded));
  return `# Results

Written by \`npm run bench\`; the figures as data are in [results.json](results.json). Ratios are to be trusted, absolute
figures belong to the machine. Contenders take turns round by round, each figure is a median over the rounds.

${sections.join('\n')}`;
}

function section(name: string, recorded: Recorded): string {
  const { result, plots } = recorded;
  const parts = [`## ${name}\n`];
  if (result.skipped !== undefined) parts.push(`Skipped: ${result.skipped}.\n`);
  else {
    parts.push(`${result.about}\n`, ...result.tables.map(tableMarkdown), targetsMarkdown(result.targets));
    parts.push(...plots.map((file) => `![${file.replace('.svg', '')}](${file})\n`));
  }
  parts.push(provenance(recorded));
  return parts.join('\n');
}

function provenance({ at, command, quick, loadBefore, seconds, machine, versions }: Recorded): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const warning = quick ? ' **Quick run: figures of no weight.**' : '';
  return (
    `<sub>${at}, \`${command}\`, ${seconds.toFixed(0)} s, load before ${loadBefore.toFixed(1)}; ` +
    `${Object.values(machine).join(', ')}; ${named.join(', ')}.${warning}</sub>\n`
  );
}

export function tableMarkdown({ columns, rows }: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  return `${[columns, rule, ...rows].map(row).join('\n')}\n`;
}

export function targetsMarkdown(targets: readonly Target[]): string {
  return tableMarkdown({
    columns: ['it must', 'seen', ''],
    rows: targets.map(({ claim, seen, met }) => [claim, seen, met ? 'yes' : '**no**']),
  });
}

async function versions(): Promise<Record<string, string>> {
  const entries = await Promise.all(VERSIONS_OF.map(async (name) => [name, await versionOf(name)]));
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The version installed in the bench, otherwise in the root. */
async function versionOf(name: string): Promise<string> {
  for (const base of ['../', '../../']) {
    try {
      const file = new URL(`${base}node_modules/${name}/package.json`, import.meta.url);
      return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
    } catch {
      // Look further up.
    }
  }
  return 'unknown';
}
