/** Checks that a page shows hostile texts in a browser without running any of them. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { openWindow } from './browser.ts';

/** Visits each path, and expects that no foreign script has run, hidden the page or led away from it. */
export async function expectHarmless(
  { page, faults }: Pick<Awaited<ReturnType<typeof openWindow>>, 'page' | 'faults'>,
  url: string,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) {
    // Resolves when everything has loaded or failed: any script has run by then.
    await page.goto(url + path, { waitUntil: 'load' });
    expect(await page.evaluate('window.hacked ?? 0'), path).toBe(0);
    const foreign = '[onerror], [onload], [onfocus], base, main script, main img, main [hx-get]';
    expect(await page.locator(foreign).count(), path).toBe(0);
    expect(await page.getByRole('heading', { level: 1 }).count(), path).toBe(1);
    expect(new URL(page.url()).origin, path).toBe(url);
  }
  expect(faults).toEqual([]);
}

/** The visible text of a page, rather than all its text. */
export async function seenText(page: Page): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: hidden text is not wanted.
  return await page.locator('main').innerText();
}
