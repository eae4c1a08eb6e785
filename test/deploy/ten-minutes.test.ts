/** docs/aws-in-ten-minutes.md: what can run without AWS prints what the page shows; the rest uses what the template has. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { installed } from '../../testing/installed.ts';
import { readWalkThrough, shapeOf } from '../../testing/walk-through/document.ts';
import { inProcess } from '../../testing/walk-through/in-process.ts';
import { runWalkThrough } from '../../testing/walk-through/run.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/aws-in-ten-minutes.md'), 'utf8');
const template = JSON.parse(readFileSync(join(root, 'deploy/cloudformation/ota-updater.json'), 'utf8')) as {
  readonly Parameters: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
};
const folder = process.cwd();

afterEach(() => {
  process.chdir(folder);
  vi.unstubAllEnvs();
});

const cli = installed(['aws'], 'the commands of docs/aws-in-ten-minutes.md are not run');

test.skipIf(cli === undefined)('its commands print what it shows', async () => {
  const shown = await runWalkThrough(readWalkThrough(page), inProcess());
  expect(shown.length).toBeGreaterThan(8);
  for (const { step, output } of shown)
    expect(`$ ${step.command}\n${shapeOf(output)}`).toBe(`$ ${step.command}\n${shapeOf(step.output ?? '')}`);
});

test('it gives the template every parameter that has no default, and no other', () => {
  const [, overrides = ''] = /--parameter-overrides (.*)\n/.exec(page) ?? [];
  const given = [...overrides.matchAll(/(\w+)=/g)].map(([, name = '']) => name);
  const needed = Object.keys(template.Parameters).filter(
    (name) => template.Parameters[name]?.Default === undefined,
  );
  expect(given).toEqual(expect.arrayContaining(needed));
  expect(given.filter((name) => template.Parameters[name] === undefined)).toEqual([]);
});

test('it asks for outputs that the template has', () => {
  const asked = [...page.matchAll(/\$\(output (\w+)\)/g)].map(([, name = '']) => name);
  expect(asked.length).toBeGreaterThan(3);
  expect(asked.filter((name) => !(name in template.Outputs))).toEqual([]);
});

test('its sums are those of its rows', () => {
  const dollars = (text: string): number => Number(/\$(\d+\.\d+)/.exec(text)?.[1]);
  const [, month = ''] = /\*\*While it is deployed\*\*[\s\S]*?\n\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const costs = month
    .split('\n')
    .slice(2)
    .map((row) => dollars(row.split('|').at(-2) ?? ''));
  const sum = costs.pop();
  expect(costs.reduce((all, cost) => all + cost, 0)).toBeCloseTo(sum ?? 0, 2);
});

test('what it writes into the checkout is no change of it', () => {
  const written = [...page.matchAll(/> (\w[\w.-]*)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name.includes('.'));
  expect(written).toEqual(['updates.csv']);
  for (const name of written)
    expect(spawnSync('git', ['check-ignore', '-q', name], { cwd: root }).status, name).toBe(0);
});
