/** Every page in a browser: for everybody, at every width; and whatever hostile texts are on it. */
import { expect, onTestFinished, test } from 'vitest';
import { changesSection } from '../../src/console/changes/section.ts';
import { lettersSection } from '../../src/console/dead-letters/section.ts';
import { nowSection } from '../../src/console/now/section.ts';
import { Watch } from '../../src/console/now/watch.ts';
import { unavailableSection } from '../../src/console/pages/unavailable.ts';
import { taskSection } from '../../src/console/task/section.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { updatesOf } from '../../src/trace/updates.ts';
import {
  accessibilityFaults,
  enter,
  inBrowser,
  openWindow,
  overflow,
  picture,
  widths,
} from '../../testing/console/browser.ts';
import { expectHarmless, seenText } from '../../testing/console/harmless.ts';
import { hostileText } from '../../testing/console/hostile.ts';
import { setLetters } from '../../testing/console/letters.ts';
import { observeSection } from '../../testing/console/observe.ts';
import { ask, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

const hostileTrace: Trace = {
  identifier: 'task1',
  task: { TaskId: 'task1', Status: hostileText, Description: hostileText, TaskConfigurationId: hostileText },
  updates: updatesOf([
    {
      source: 'ledger',
      messageIds: [hostileText],
      jobId: hostileText,
      requestId: hostileText,
      values: { Description: hostileText },
      end: {
        state: 'dead-lettered',
        reason: hostileText,
        error: { name: hostileText, message: hostileText },
        note: hostileText,
      },
      letter: { messageId: hostileText, arrivedAt: 0, redriveCount: 2 },
      steps: [{ at: 0, source: 'log', what: hostileText }],
    },
  ]),
  sources: [
    { source: 'ledger', state: 'failed', what: hostileText },
    { source: 'task', state: 'read', what: hostileText },
  ],
};

/** A console on whose every page everything is hostile that comes from elsewhere. */
async function hostileConsole() {
  const { stage, addLetters, openDesk } = await setLetters();
  await addLetters(3, 'gone', { name: hostileText, message: hostileText });
  await stage.dead.send([
    {
      key: '0',
      body: hostileText.replaceAll('\u0000', '').replaceAll('\ud800', '').replaceAll('\u001b', ''),
    },
  ]);
  const desk = openDesk();
  desk.lookAgain();
  await expect.poll(() => [desk.doing.what, desk.look?.pass.seen]).toEqual(['nothing', 4]);
  const watch = new Watch({
    askWorkers: async () => [{ where: hostileText, ok: false, why: hostileText }],
    readQueues: async () => ({ source: { ok: false, why: hostileText } }),
    clock: systemClock,
    sleep,
  });
  onTestFinished(() => watch.stop());
  void watch.run();
  const url = await serveConsole({
    sections: [
      nowSection(watch),
      observeSection(watch),
      lettersSection({ desk, now: Date.now, sleep }),
      taskSection(async () => hostileTrace),
      changesSection({
        jobs: async () => [
          { at: 0, who: hostileText, what: hostileText, link: '/', why: hostileText, detail: hostileText },
        ],
        'dead letters': async () => ({ away: hostileText }),
      }),
      unavailableSection({ path: '/none', name: 'None' }, hostileText),
    ],
  });
  const groups = desk.look?.groups.all() ?? [];
  const plan = await desk.plan(
    { action: 'redrive', where: [`group=${groups[0]?.group}`], limit: 1, rate: 1, canary: 1, force: false },
    { by: hostileText, reason: hostileText },
  );
  await expect.poll(() => plan.state).toBe('planned');
  const letters = [...(desk.look?.letters.keys() ?? [])].map((id) => `/dead-letters/letters/${id}`);
  const paths = [
    '/',
    '/dead-letters',
    ...groups.map(({ group }) => `/dead-letters/groups/${group}`),
    ...letters.slice(-2),
    `/dead-letters/changes/${plan.facts.id}`,
    '/task',
    '/task?identifier=task1',
    `/task?identifier=${encodeURIComponent('<script>window.hacked=9</script>')}`,
    '/changes',
    '/none',
    '/nowhere/%3Cscript%3E',
  ];
  return { url, paths };
}

inBrowser((browser) => {
  test('hostile texts run nowhere and hide nothing, and no policy is broken', async () => {
    const { url, paths } = await hostileConsole();
    const window = await openWindow(browser());
    await enter(window.page, url, tokens.ann);
    await expectHarmless(window, url, paths);
    await window.page.goto(`${url}/changes`);
    const text = await seenText(window.page);
    expect(text).toContain('<script>window.hacked=1</script>');
    expect(text).toContain('right\\u{202e}to left');
  });

  test.each(
    widths.flatMap((width) => [
      { width, scheme: 'light' as const },
      { width, scheme: 'dark' as const },
    ]),
  )('every page is for everybody at $width pixels, $scheme', async (looks) => {
    const { url, paths } = await hostileConsole();
    const { page, faults } = await openWindow(browser(), looks);
    await enter(page, url, tokens.ann);
    for (const path of paths) {
      await page.goto(url + path);
      expect(await accessibilityFaults(page), path).toEqual([]);
      expect(await overflow(page), path).toEqual([]);
      await picture(page, `${path.replace(/[^a-z]+/g, '-').slice(0, 40)}-${looks.width}-${looks.scheme}`);
    }
    expect(faults).toEqual([]);
  });

  test('the first page is less than 100 kB, compressed', async () => {
    const { url } = await hostileConsole();
    const { page } = await openWindow(browser());
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => {
      if (!request.url().includes('/live/'))
        sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    await enter(page, url, tokens.ann);
    await page.locator('.uplot canvas').waitFor();
    const all = (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
    expect(all).toBeGreaterThan(10_000);
    expect(all).toBeLessThan(100_000);
  });

  test('every page can be read without JavaScript', async () => {
    const { url, paths } = await hostileConsole();
    const cookie = await signIn(url, tokens.vic);
    for (const path of paths) {
      const { body, status } = await ask(url + path, { headers: { cookie } });
      expect(body, path).toMatch(/<h1[ >]/);
      expect(status, path).toBe(path.startsWith('/nowhere') ? 404 : 200);
    }
  });
});
