/**
 * A real browser for tests of pages: Debian's Chromium, through playwright-core. If there is none, tests that need it are
 * skipped, and say so; CI has one (.ci/run).
 */
import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { NEVER_CAME_MS } from '../hangs.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Describes tests with one browser, which is open while they run. */
export function inBrowser(tests: (browser: () => Browser) => void): void {
  describe.skipIf(!existsSync(CHROMIUM))('in a browser (skipped without chromium)', () => {
    let running: Browser | undefined;
    beforeAll(async () => {
      running = await startBrowser();
    });
    afterAll(async () => await running?.close());
    tests(() => {
      if (running === undefined) throw new Error('the browser is there from the first test on');
      return running;
    });
  });
}

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

/** Widths of a small phone, a usual window and a large screen, in pixels. */
export const widths = [360, 1_280, 2_560] as const;

interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Faults of the page: errors of scripts, and what its content security policy has refused. */
  readonly faults: string[];
}

interface Looks {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly javaScript?: boolean;
}

/** A separate window, with its own cookies. */
export async function openWindow(
  browser: Browser,
  { width = 1_280, scheme = 'light', javaScript = true }: Looks = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled: javaScript,
    reducedMotion: 'reduce',
  });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(NEVER_CAME_MS);
  const faults: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // Tests judge 4xx answers themselves.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, faults };
}

/** What axe-core finds against WCAG 2.2 AA and its own best practices, in short. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

/** The elements that make the page wider than its window. */
export async function overflow(page: Page): Promise<string[]> {
  return (await page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    const more = document.documentElement.scrollWidth - width;
    if (more <= 0) return [];
    return ['by ' + more + ' pixels', ...[...document.querySelectorAll('body *')]
      .filter((each) => each.getBoundingClientRect().right > width + 0.5)
      .map((each) => each.outerHTML.slice(0, 200))];
  })()`)) as string[];
}

/** Signs in through the page, which then leads to `path`. */
export async function enter(page: Page, url: string, token: string, path = '/'): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** Saves a picture of the whole page for inspection, in the folder PICTURES. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** Width of the pictures in docs. */
const DOC_WIDTH = 960;

/** Takes a picture for docs again, if DOC_PICTURES names their folder. */
export async function docPicture(page: Page, name: string, height: number): Promise<void> {
  const folder = process.env.DOC_PICTURES;
  if (folder === undefined) return;
  const size = page.viewportSize();
  await page.setViewportSize({ width: DOC_WIDTH, height });
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot({ path: `${folder}/${name}.png` });
  if (size !== null) await page.setViewportSize(size);
}
