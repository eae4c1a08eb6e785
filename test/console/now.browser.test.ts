/** The page *Now* in a browser, of real workers. */
import type { Browser } from 'playwright-core';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { nowSection } from '../../src/console/now/section.ts';
import { Watch } from '../../src/console/now/watch.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { askWorkers } from '../../src/status/ask/workers.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import {
  accessibilityFaults,
  chromiumInstalled,
  openWindow,
  overflow,
  picture,
  startBrowser,
  widths,
} from '../../testing/console/browser.ts';
import { observeSection } from '../../testing/console/observe.ts';
import { serveConsole, startConsole, tokens } from '../../testing/console/serve.ts';
import { setStage } from '../../testing/stages/stage.ts';

/** A console that watches one worker, which runs. */
async function watched() {
  const stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } } });
  onTestFinished(() => stage.strike());
  await stage.worker.start();
  const http = createHttpServer({
    worker: 'w1',
    snapshot: () => stage.worker.snapshot(),
    registry: new Registry(),
  });
  onTestFinished(() => http.close());
  const workerUrl = await http.listen({ host: '127.0.0.1', port: 0 });
  const watch = new Watch({
    askWorkers: (signal) => askWorkers([workerUrl], signal),
    readQueues: async () => ({}),
    clock: systemClock,
    sleep,
  });
  onTestFinished(() => watch.stop());
  const url = await serveConsole({ sections: [nowSection(watch), observeSection(watch)] });
  return { stage, http, watch, url };
}

describe.skipIf(!chromiumInstalled())('in a browser (skipped without chromium)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  test('one signs in, and sees it go on', async () => {
    const { stage, watch, url } = await watched();
    void watch.run();
    const { page, faults } = await openWindow(browser);
    await page.goto(url);
    await page.getByLabel('Token').fill(tokens.vic);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Nothing to do' }).waitFor();
    await page.locator('#live-sign', { hasText: 'Live' }).waitFor();
    await page.locator('.uplot canvas').waitFor();
    await stage.send({ Identifier: 'gone1', Description: 'x' });
    await stage.ended(1);
    await page.getByText('since the start Rejected 1').waitFor();
    expect(faults).toEqual([]);
  });

  test.each(
    widths.flatMap((width) => [
      { width, scheme: 'light' as const },
      { width, scheme: 'dark' as const },
    ]),
  )('it is for everybody at $width pixels, $scheme', async (looks) => {
    const { watch, url } = await watched();
    void watch.run();
    const { page, faults } = await openWindow(browser, looks);
    await page.goto(`${url}/sign-in`);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel('Token').fill(tokens.ann);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.uplot canvas').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    await picture(page, `now-${looks.width}-${looks.scheme}`);
    expect(faults).toEqual([]);
  });

  test('it says when what one sees is old, and comes back by itself', async () => {
    const { watch } = await watched();
    void watch.run();
    const sections = [nowSection(watch), observeSection(watch)];
    const first = await startConsole({ sections });
    const { page } = await openWindow(browser);
    await page.clock.install();
    await page.goto(first.url);
    await page.getByLabel('Token').fill(tokens.vic);
    await page.keyboard.press('Enter');
    const sign = page.locator('#live-sign');
    await sign.filter({ hasText: /^Live/ }).waitFor();
    await first.close();
    await page.clock.fastForward(20_000);
    await sign.filter({ hasText: /^Not live: nothing new since/ }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await startConsole({ sections }, Number(new URL(first.url).port));
    await page.clock.fastForward(10_000);
    await sign.filter({ hasText: /^Live/ }).waitFor();
  });

  test('it can be read without JavaScript', async () => {
    const { watch, url } = await watched();
    void watch.run();
    const { page } = await openWindow(browser, { javaScript: false });
    await page.goto(url);
    await page.getByLabel('Token').fill(tokens.vic);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Nothing to do' }).waitFor();
  });
});
