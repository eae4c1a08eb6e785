/** Every answer of the console's port has the security headers, and each of the API that is none of its own is a problem. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyText } from '../../testing/any-text.ts';
import { type RawAnswer, sendRaw } from '../../testing/console/raw.ts';
import { serveConsole, signIn, tokens } from '../../testing/console/serve.ts';
import { wholeConsole } from '../../testing/console/whole.ts';

const wanted: Readonly<Record<string, RegExp>> = {
  'content-security-policy': /^default-src 'none';.*frame-ancestors 'none'/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'referrer-policy': /^same-origin$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'x-dns-prefetch-control': /^off$/,
};

function expectHeaders({ headers }: RawAnswer, what: string): void {
  for (const [name, value] of Object.entries(wanted))
    expect(headers.get(name), `${name} of ${what}`).toMatch(value);
}

function expectProblem({ status, headers, body }: RawAnswer, what: string): void {
  expect(headers.get('content-type'), what).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
  expect(JSON.parse(body), what).toEqual({
    type: 'about:blank',
    title: expect.any(String),
    status,
    detail: expect.stringMatching(/.../),
  });
}

const host = 'Host: localhost\r\n';
const bearer = `${host}Authorization: Bearer ${tokens.ann}\r\n`;
const cut = { end: true };

describe('what is refused before a route has it is a problem with the security headers:', () => {
  test.each([
    ['an address that is none', `GET /api/v1/%zz HTTP/1.1\r\n${host}\r\n`, 400, {}],
    ['a name that is too long', `GET /api/v1/jobs/${'x'.repeat(600)} HTTP/1.1\r\n${bearer}\r\n`, 414, {}],
    ['an address that is too long', `GET /api/v1/${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431, {}],
    ['headers that are too large', `GET /api/v1/jobs HTTP/1.1\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`, 431, {}],
    ['no Host', 'GET /api/v1/jobs HTTP/1.1\r\n\r\n', 403, {}],
    ['a method that is none', `SMILE /api/v1/jobs HTTP/1.1\r\n${host}\r\n`, 400, {}],
    ['a method that no route has', `PROPFIND /api/v1/jobs HTTP/1.1\r\n${bearer}\r\n`, 405, {}],
    ['a method of another route', `DELETE /api/v1/jobs/j HTTP/1.1\r\n${bearer}\r\n`, 405, {}],
    ['an address of no route', `GET /api/v1/cakes HTTP/1.1\r\n${bearer}\r\n`, 404, {}],
    ['an address in other letters', `GET /%61pi/v1/jobs/none HTTP/1.1\r\n${bearer}\r\n`, 404, {}],
    ['an address with a name', `GET http://localhost/api/v1/jobs/none HTTP/1.1\r\n${bearer}\r\n`, 404, {}],
    ['a tunnel', `CONNECT a:1 HTTP/1.1\r\n${host}\r\n`, 501, {}],
    ['a length that is none', `POST /api/v1/plans HTTP/1.1\r\n${bearer}Content-Length: ten\r\n\r\n`, 400, {}],
    [
      'two lengths',
      `POST /api/v1/plans HTTP/1.1\r\n${bearer}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      400,
      {},
    ],
    [
      'a chunk that is none',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      {},
    ],
    [
      'a body that is cut',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Content-Type: application/json\r\nContent-Length: 90\r\n\r\n{"reason`,
      400,
      cut,
    ],
    ['a request that is cut', 'GET /api/v1/jobs HTTP/1.1\r\nHos', 400, cut],
    ['no HTTP at all', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, {}],
    [
      'an expectation that is none',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Expect: cake\r\nContent-Length: 2\r\n\r\n{}`,
      417,
      {},
    ],
    [
      'a type that is not read',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Content-Type: text/x-cake\r\nContent-Length: 2\r\n\r\n{}`,
      415,
      {},
    ],
    [
      'a body that is no JSON',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{`,
      400,
      {},
    ],
    [
      'a body that is too large',
      `POST /api/v1/jobs/j/pause HTTP/1.1\r\n${bearer}Content-Type: application/json\r\nContent-Length: 99999\r\n\r\n{}`,
      413,
      {},
    ],
  ])('%s', async (what, bytes, status, how) => {
    const { url } = await wholeConsole({});
    const answer = await sendRaw(url, bytes, how);
    expect(answer?.status, what).toBe(status);
    if (answer === undefined) return;
    expectHeaders(answer, what);
    expectProblem(answer, what);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/^(GET|HEAD)(, (GET|HEAD))?$/);
  });

  test('of a page the same is a page', async () => {
    const url = await serveConsole();
    const answer = await sendRaw(url, `GET /%zz HTTP/1.1\r\n${host}\r\n`);
    expect(answer).toMatchObject({ status: 400 });
    expect(answer?.headers.get('content-type')).toContain('text/html');
    expect(answer?.body).toContain('Bad Request');
  });
});

test('each route of the whole console answers with the security headers, streams too', async () => {
  const { url, routes } = await wholeConsole({});
  const cookie = await signIn(url, tokens.ann);
  const page = await sendRaw(
    url,
    `GET /task HTTP/1.1\r\n${host}Cookie: ${cookie}\r\nAccept-Encoding: identity\r\n\r\n`,
  );
  const assets = [...(page?.body ?? '').matchAll(/(?:src|href)="(\/assets[^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  const all = [
    ...routes,
    ...['/sign-in', '/', ...assets, '/nowhere'].map((path) => ({ method: 'GET', path })),
    ...['/sign-in', '/sign-out'].map((path) => ({ method: 'POST', path })),
  ];
  expect(assets.length).toBeGreaterThan(3);
  expect(all.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['/live/now', '/api/v1/jobs/:job/pause', '/metrics', '/jobs/of/:job/report.csv']),
  );
  for (const { method, path } of all)
    for (const who of [`Cookie: ${cookie}\r\n`, `Authorization: Bearer ${tokens.ann}\r\n`, '']) {
      const accept = path.startsWith('/live/') ? 'Accept: text/event-stream\r\n' : '';
      const body = method === 'POST' ? 'Content-Length: 0\r\n' : '';
      const asked = path.replaceAll(/:\w+/g, '00000000');
      const answer = await sendRaw(
        url,
        `${method} ${asked} HTTP/1.1\r\n${host}${who}${accept}${body}Connection: close\r\n\r\n`,
      );
      const what = `${method} ${path} as ${who.slice(0, 8)}`;
      expect(answer, what).toBeDefined();
      if (answer === undefined) continue;
      expectHeaders(answer, what);
      if (path.startsWith('/api/') && answer.status >= 400 && method !== 'HEAD') expectProblem(answer, what);
    }
});

test('whatever is sent, an answer has the security headers', async () => {
  const url = await serveConsole();
  const text = fc.oneof(
    anyText({ maxLength: 40 }),
    fc.constantFrom(
      '/',
      '/api/v1/jobs',
      '/%zz',
      '*',
      'http://[',
      '/live/now',
      '//',
      '/..%2f',
      '\r\n',
      ' ',
      '/api/v1/%c0%ae',
    ),
  );
  const request = fc
    .record({
      method: fc.constantFrom(
        'GET',
        'POST',
        'HEAD',
        'OPTIONS',
        'TRACE',
        'get',
        'PRI',
        'M-SEARCH',
        'DELETE',
        '',
      ),
      path: text,
      version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''),
      headers: fc.array(
        fc.oneof(
          fc.constantFrom(
            'Host: localhost',
            'Content-Length: 5',
            'Content-Length: -1',
            'Transfer-Encoding: chunked',
            'Transfer-Encoding: gzip, cake',
            'Upgrade: websocket',
            'Connection: upgrade',
            'Expect: 100-continue',
            'Accept-Version: 1.x',
            'Accept-Encoding: br;q=x',
          ),
          text.map((value) => `X: ${value}`),
        ),
        { maxLength: 5 },
      ),
      body: text,
    })
    .map(({ method, path, version, headers, body }) =>
      [`${method} ${path} ${version}`, ...headers, '', body].join('\r\n'),
    );
  await fc.assert(
    fc.asyncProperty(request, async (bytes) => {
      const answer = await sendRaw(url, Buffer.from(bytes, 'utf8'), cut);
      if (answer === undefined || answer.status < 200) return;
      expectHeaders(answer, JSON.stringify(bytes));
    }),
    { numRuns: 100 },
  );
});
