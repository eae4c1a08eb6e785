/** Live parts: one look for all, nobody waited for, and an end when the session ends. */
import { request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Feed } from '../../src/console/live/feed.ts';
import { html } from '../../src/console/pages/html.ts';
import type { Section } from '../../src/console/section.ts';
import { ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

/** A feed whose looks come when the test says. */
function steppedFeed(size = 10) {
  let looks = 0;
  let next = Promise.withResolvers<void>();
  const feed = new Feed({
    look: async () => {
      await next.promise;
      next = Promise.withResolvers();
      return { html: `<p>${++looks} ${'x'.repeat(size)}</p>`, event: { name: 'sample', data: [looks] } };
    },
    everyMs: 0,
    sleep: async () => {},
  });
  return { feed, looks: () => looks, step: () => next.resolve() };
}

const section = (feed: Feed): Section => ({
  nav: { path: '/', name: 'Live' },
  add: (site) => {
    site.view('/', () => ({ title: 'Live', body: html`<h1>Live</h1>` }));
    site.live('/live/x', feed);
  },
});

interface Stream {
  readonly text: () => string;
  readonly ended: Promise<void>;
  /** Stops reading, as a slow client does. */
  readonly pause: () => void;
  readonly resume: () => void;
}

async function follow(url: string, cookie: string): Promise<Stream> {
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<Stream>();
  const sent = request(`${url}/live/x`, { headers: { cookie, accept: 'text/event-stream' } }, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = new Promise<void>((done) => response.once('close', done));
    resolve({ text: () => text, ended, pause: () => response.pause(), resume: () => response.resume() });
  });
  sent.once('error', reject).end();
  onTestFinished(() => void sent.destroy());
  return await promise;
}

test('one look is made for all who see it, and none while nobody does', async () => {
  const { feed, looks, step } = steppedFeed();
  const url = await serveConsole({ sections: [section(feed)] });
  const cookie = await signIn(url, tokens.vic);
  expect(looks()).toBe(0);
  const opening = Promise.all([follow(url, cookie), follow(url, cookie), follow(url, cookie)]);
  await expect.poll(() => feed.viewers).toBe(3);
  step();
  const streams = await opening;
  await expect
    .poll(() => streams.map((stream) => stream.text().includes('<p>1 ')))
    .toEqual([true, true, true]);
  expect(streams[0]?.text()).toMatch(/^id: 1\ndata: <p>1 x+<\/p>\n\nevent: sample\ndata: \[1\]\n\n/);
  expect(looks()).toBe(1);
});

test('a slow client gets the newest when it can take it, and is told of what it missed; the others wait for nothing', async () => {
  const { feed, looks, step } = steppedFeed(1_000_000);
  const url = await serveConsole({ sections: [section(feed)] });
  const cookie = await signIn(url, tokens.vic);
  const opening = Promise.all([follow(url, cookie), follow(url, cookie)]);
  await expect.poll(() => feed.viewers).toBe(2);
  step();
  const [slow, quick] = await opening;
  slow?.pause();
  for (let i = 2; i <= 30; i++) {
    step();
    await expect.poll(() => quick?.text().includes(`<p>${i} `), { interval: 5 }).toBe(true);
  }
  expect(looks()).toBeGreaterThanOrEqual(30);
  slow?.resume();
  await expect.poll(() => slow?.text()).toMatch(/event: missed\ndata: \d+\n/);
});

test('a stream ends with the session of who reads it', async () => {
  const { feed, step } = steppedFeed();
  const url = await serveConsole({ sections: [section(feed)] });
  const cookie = await signIn(url, tokens.vic);
  const opening = follow(url, cookie);
  await expect.poll(() => feed.viewers).toBe(1);
  step();
  const stream = await opening;
  await ask(`${url}/sign-out`, {
    headers: { cookie },
    form: { formToken: await formTokenOf(`${url}/`, cookie) },
  });
  step();
  await stream.ended;
  expect(stream.text()).not.toContain('<p>2 ');
});

describe('who may not read', () => {
  test('gets no stream', async () => {
    const { feed } = steppedFeed();
    const url = await serveConsole({ sections: [section(feed)] });
    const { status, headers } = await ask(`${url}/live/x`);
    expect([status, headers['content-type']]).toEqual([401, 'application/problem+json; charset=utf-8']);
    expect(feed.viewers).toBe(0);
  });
});
