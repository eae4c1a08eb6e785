/** The page *Now* in a browser, of real workers. */
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { nowSection } from '../../src/console/now/section.ts';
import { Watch } from '../../src/console/now/watch.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { askWorkers } from '../../src/status/ask/workers.ts';
import { sleep } from '../../src/time/clock.ts';
import {
  accessibilityFaults,
  docPicture,
  enter,
  inBrowser,
  openWindow,
  overflow,
  picture,
  widths,
} from '../../testing/console/browser.ts';
import { observeSection } from '../../testing/console/observe.ts';
import { withOtherPages } from '../../testing/console/other-pages.ts';
import { serveConsole, startConsole, tokens } from '../../testing/console/serve.ts';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

/** A watch that looks so much more often than others. */
const OFTENER = 5;

/** A console that watches one worker, which runs. @param oftener it looks so much more often, and reads the queues. */
async function watched(options: StageOptions = {}, oftener = 1) {
  const stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } }, ...options });
  onTestFinished(() => stage.strike());
  await stage.worker.start();
  const http = createHttpServer({
    worker: 'w1',
    snapshot: () => stage.worker.snapshot(),
    registry: new Registry(),
  });
  onTestFinished(() => http.close());
  const none = { visible: 0, inFlight: 0, delayed: 0, readAt: new Date().toISOString() };
  const workerUrl = await http.listen({ host: '127.0.0.1', port: 0 });
  const watch = new Watch({
    askWorkers: (signal) => askWorkers([workerUrl], signal),
    readQueues: async () =>
      oftener === 1
        ? {}
        : { source: { ok: true, depth: depthOf(stage) }, deadLetter: { ok: true, depth: none } },
    clock: { wall: Date.now, monotonic: () => oftener * performance.now() },
    sleep: (ms, signal) => sleep(ms / oftener, signal),
  });
  onTestFinished(() => watch.stop());
  const url = await serveConsole({ sections: withOtherPages([nowSection(watch), observeSection(watch)]) });
  return { stage, http, watch, url };
}

function depthOf(stage: Stage) {
  const { ready, inFlight } = stage.left();
  return { visible: ready, inFlight, delayed: 0, readAt: new Date().toISOString() };
}

inBrowser((browser) => {
  test('one signs in, and sees it go on', async () => {
    const { stage, watch, url } = await watched();
    void watch.run();
    const { page, faults } = await openWindow(browser());
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

  test('the chart has what was there before one came, and goes on', async () => {
    const options = {
      env: { RATE_LIMIT: '120', MAX_CONCURRENCY: '40' },
      api: { limit: { ratePerSecond: 80, burst: 8 }, latency: { minMs: 5, maxMs: 20 } },
    };
    const { stage, watch, url } = await watched(options, OFTENER);
    await stage.send(
      ...Array.from({ length: 3_000 }, (_, i) => ({ Identifier: `task${i}`, Description: 'x' })),
    );
    await stage.ended(20);
    void watch.run();
    await expect.poll(() => watch.samples().length).toBeGreaterThan(2);
    const { page, faults } = await openWindow(browser());
    await enter(page, url, tokens.vic);
    await page.getByRole('heading', { level: 1, name: 'Updates go through' }).waitFor();
    await page.locator('.uplot canvas').waitFor();
    expect(await page.locator('.u-legend').textContent()).toContain('applied/s');
    const before = watch.samples().length;
    const more = process.env.DOC_PICTURES === undefined ? 2 : 25;
    await expect.poll(() => watch.samples().length).toBeGreaterThan(before + more);
    await docPicture(page, 'now', 1_000);
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
    const { page, faults } = await openWindow(browser(), looks);
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
    const { page } = await openWindow(browser());
    await page.clock.install();
    await page.goto(first.url);
    await page.getByLabel('Token').fill(tokens.vic);
    await page.keyboard.press('Enter');
    const sign = page.locator('#live-sign');
    await sign.filter({ hasText: /^Live/ }).waitFor();
    await first.close();
    await page.clock.fastForward(20_000);
    await sign
      .filter({ hasText: /^Not live: nothing new since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./ })
      .waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await startConsole({ sections }, Number(new URL(first.url).port));
    await page.clock.fastForward(10_000);
    await sign.filter({ hasText: /^Live/ }).waitFor();
  });

  test('it can be read without JavaScript', async () => {
    const { watch, url } = await watched();
    void watch.run();
    const { page } = await openWindow(browser(), { javaScript: false });
    await page.goto(url);
    await page.getByLabel('Token').fill(tokens.vic);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Nothing to do' }).waitFor();
  });
});
