/**
 * Starts Compose as a new user would, with three workers, and has the console plan, apply and follow a job of many rows to its end
 * in a real browser. It needs a Docker engine, Compose and chromium. At the end everything is stopped and the volumes are removed.
 *
 *   npm run prove-compose -- [ROWS]
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { enter, picture, startBrowser } from '../testing/console/browser.ts';
import { planByPage } from '../testing/console/job-pages.ts';

const rows = Number(process.argv[2] ?? 5_000);
const WORKERS = 3;
const CONSOLE = 'http://localhost:8090';
const TOKEN = 'sandbox-token-of-this-machine';
/** Maximum time per row: its task is read and it is sent, at 100 a second. */
const PLAN_MS = 40;
const SEND_MS = 60;

const composeWords = ((): readonly [string, ...string[]] => {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return ['docker', 'compose'];
  } catch {
    return ['docker-compose'];
  }
})();
function compose(...args: readonly string[]): string {
  const [program, ...first] = composeWords;
  return execFileSync(program, [...first, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Waits until the console answers. @throws Error after two minutes. */
async function consoleIsUp(): Promise<void> {
  for (const until = Date.now() + 120_000; Date.now() < until; await wait(500)) {
    const answer = await fetch(`${CONSOLE}/sign-in`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error('the console does not answer');
}

/** Follows the job like a person, from the file to the report. @throws Error if a page does not appear. */
async function follow(page: Page): Promise<void> {
  await enter(page, CONSOLE, TOKEN, '/');
  await page
    .getByRole('region', { name: 'Table of workers' })
    .locator('tbody tr')
    .nth(WORKERS - 1)
    .waitFor({ timeout: 30_000 });
  say(`${seconds()}: the page "Now" has seen ${WORKERS} workers`);
  const identifiers = Array.from({ length: rows }, (_, i) => `task${i}`);
  await planByPage(page, CONSOLE, identifiers, 60_000 + rows * PLAN_MS);
  say(`${seconds()}: the plan is shown`);
  await page.getByRole('button', { name: 'Apply' }).click();
  // If rows take more than 2 s to enter, the page of the plan shows when they are in.
  const job = page.getByRole('heading', { level: 1, name: /^Job j: / });
  const entered = page.getByRole('link', { name: 'See it' });
  await job.or(entered).waitFor({ timeout: 120_000 });
  if (await entered.isVisible()) await entered.click();
  await page
    .getByRole('heading', { level: 1, name: 'Job j: done' })
    .waitFor({ timeout: 60_000 + rows * SEND_MS });
  say(`${seconds()}: the page of the job says that it is done`);
  await picture(page, 'compose-job');
  const report = await page.request.get(`${CONSOLE}/jobs/of/j/report.csv`);
  const lines = (await report.text()).trimEnd().split('\n').slice(1);
  const applied = lines.filter((line) => line.includes(',applied,')).length;
  say(`${lines.length} rows in the report, ${applied} of them applied`);
  if (applied !== rows || lines.length !== rows) process.exitCode = 1;
}

const begun = performance.now();
const seconds = (): string => `${((performance.now() - begun) / 1_000).toFixed(0)} s`;
try {
  compose('up', '--build', '--detach', '--scale', `worker=${WORKERS}`);
  await consoleIsUp();
  say(`${seconds()}: Compose is up with ${WORKERS} workers, the console answers`);
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    try {
      await follow(page);
    } catch (error) {
      say(`the page was ${page.url()}:\n${(await page.getByRole('main').allInnerTexts()).join('')}`);
      await picture(page, 'compose-failed');
      throw error;
    }
  } finally {
    await browser.close();
  }
} finally {
  compose('down', '--volumes', '--timeout', '30');
  say(`${seconds()}: everything is down`);
}
