/** Who may read, and who may change something: over HTTP. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { html } from '../../src/console/pages/html.ts';
import type { Change, Section } from '../../src/console/section.ts';
import { ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

/** A section that remembers what was changed. */
function remembering() {
  const changes: Change<{ what: string }>[] = [];
  const section: Section = {
    nav: { path: '/', name: 'Things' },
    add: (site) => {
      site.view('/', () => ({ title: 'Things', body: html`<h1>Things</h1>` }));
      site.change('/things', z.object({ what: z.string() }), async (change) => {
        changes.push(change);
        return '/';
      });
    },
  };
  return { changes, sections: [section] };
}

describe('signing in', () => {
  test('is asked of who wants a page, and leads there', async () => {
    const url = await serveConsole(remembering());
    const first = await ask(`${url}/?a=1`);
    expect([first.status, first.headers.location]).toEqual([303, '/sign-in?to=%2F%3Fa%3D1']);
    const page = await ask(`${url}${first.headers.location}`);
    expect(page.body).toContain('<input type="hidden" name="to" value="/?a=1">');
    const done = await ask(`${url}/sign-in`, { form: { token: tokens.ann, to: '/?a=1' } });
    expect([done.status, done.headers.location]).toEqual([303, '/?a=1']);
    expect(String(done.headers['set-cookie'])).toMatch(
      /^ota_console=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/sign-out', '/a\nb', ''])(
    'does not lead to %j',
    async (to) => {
      const url = await serveConsole();
      const { headers } = await ask(`${url}/sign-in`, { form: { token: tokens.ann, to } });
      expect(headers.location).toBe('/');
    },
  );

  test('with a wrong token says so, and no more than ten times a minute', async () => {
    const url = await serveConsole();
    const cookie = await signIn(url, tokens.ann);
    const tries = [];
    for (let i = 0; i < 11; i++)
      tries.push(await ask(`${url}/sign-in`, { form: { token: `${i}`.repeat(30) } }));
    expect(tries.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
    expect(tries[0]?.body).toContain('This console does not know this token.');
    expect(tries[0]?.headers['set-cookie']).toBeUndefined();
    expect(tries[10]?.body).toContain('wait a minute');
    // Who is signed in goes on.
    expect((await ask(`${url}/nowhere`, { headers: { cookie } })).status).toBe(404);
  });

  test('a bearer token is guessed no more than ten times a minute', async () => {
    const url = await serveConsole(remembering());
    const tries = [];
    for (let i = 0; i < 11; i++)
      tries.push(await ask(`${url}/`, { headers: { authorization: `Bearer ${'x'.repeat(30)}${i}` } }));
    expect(tries.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
  });

  test('after ten wrong bearer tokens no token of that address is judged, until the minute is over', async () => {
    let at = Date.now();
    const url = await serveConsole({ ...remembering(), now: () => at, trustedProxies: ['127.0.0.1'] });
    const of = async (token: string, address: string) =>
      (
        await ask(`${url}/`, {
          headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
        })
      ).status;
    expect(await of(tokens.ann, '10.0.0.1')).toBe(200);
    for (let i = 0; i < 10; i++) expect(await of(`${'x'.repeat(30)}${i}`, '10.0.0.1')).toBe(401);
    expect(await of(tokens.ann, '10.0.0.1')).toBe(429);
    // Scripts elsewhere go on, however often they ask.
    for (let i = 0; i < 12; i++) expect(await of(tokens.ann, '10.0.0.2')).toBe(200);
    at += 59_999;
    expect(await of(tokens.ann, '10.0.0.1')).toBe(429);
    at += 1;
    expect(await of(tokens.ann, '10.0.0.1')).toBe(200);
  });

  test('wrong tokens of requests and of the page count together, and right ones do not', async () => {
    const url = await serveConsole(remembering());
    const page = async (token: string) => (await ask(`${url}/sign-in`, { form: { token } })).status;
    const bearer = async (token: string) =>
      (await ask(`${url}/`, { headers: { authorization: `Bearer ${token}` } })).status;
    for (let i = 0; i < 12; i++) expect(await page(tokens.ann)).toBe(303);
    const wrong = 'x'.repeat(30);
    for (let i = 0; i < 5; i++) expect([await page(wrong), await bearer(wrong)]).toEqual([401, 401]);
    expect([await page(wrong), await bearer(wrong)]).toEqual([429, 429]);
    expect([await page(tokens.ann), await bearer(tokens.ann)]).toEqual([429, 429]);
  });

  test('ends by signing out, for every copy of the cookie', async () => {
    const url = await serveConsole(remembering());
    const cookie = await signIn(url, tokens.vic);
    const formToken = await formTokenOf(`${url}/`, cookie);
    const out = await ask(`${url}/sign-out`, { headers: { cookie }, form: { formToken } });
    expect(out.headers.location).toBe('/sign-in');
    expect((await ask(`${url}/`, { headers: { cookie } })).status).toBe(303);
  });

  test('outlives the console, and neither its time nor its token', async () => {
    const { sections } = remembering();
    const before = await serveConsole({ sections });
    const cookie = await signIn(before, tokens.ann);
    const after = await serveConsole({ sections });
    expect((await ask(`${after}/`, { headers: { cookie } })).status).toBe(200);
    const late = await serveConsole({ sections, now: () => Date.now() + 13 * 3_600_000 });
    expect((await ask(`${late}/`, { headers: { cookie } })).status).toBe(303);
    const withdrawn = await serveConsole({ sections, holders: () => [] });
    expect((await ask(`${withdrawn}/`, { headers: { cookie } })).status).toBe(303);
  });

  test.each([
    ['nothing', ''],
    ['half of it', 'ota_console=eyJuYW1lIjoiYW5uIn0'],
    [
      'another signature',
      `ota_console=${Buffer.from('{"name":"ann","role":"operator","until":9e15,"id":"x"}').toString('base64url')}.AAAA`,
    ],
    ['a long text', `ota_console=${'x'.repeat(5_000)}.y`],
  ])('is not done with %s for a cookie', async (_what, cookie) => {
    const url = await serveConsole(remembering());
    expect((await ask(`${url}/`, { headers: { cookie } })).status).toBe(303);
  });
});

describe('a change', () => {
  const form = { what: 'x', reason: 'because' };

  test('needs an operator, the form’s token, the console’s own page and a reason', async () => {
    const { changes, sections } = remembering();
    const url = await serveConsole({ sections });
    const ann = await signIn(url, tokens.ann);
    const vic = await signIn(url, tokens.vic);
    const formToken = await formTokenOf(`${url}/`, ann);
    const of = async (cookie: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      (await ask(`${url}/things`, { headers: { cookie, ...headers }, form: fields })).status;
    const whole = { ...form, formToken };
    // Whose session has ended signs in, and comes back to the form's page.
    const ended = await ask(`${url}/things`, {
      headers: { referer: `${url}/?a=1` },
      form: { ...form, formToken },
    });
    expect([ended.status, ended.headers.location]).toEqual([303, '/sign-in?to=%2F%3Fa%3D1&ended=yes']);
    expect((await ask(`${url}${ended.headers.location}`)).body).toContain('nothing was changed');
    const elsewhere = { referer: 'http://evil.example//evil.example/' };
    const away = await ask(`${url}/things`, { headers: elsewhere, form: { ...form, formToken } });
    expect(away.headers.location).toBe('/sign-in?to=%2F&ended=yes');
    expect(await of(vic, { ...form, formToken: await formTokenOf(`${url}/`, vic) })).toBe(403);
    expect(await of(ann, form)).toBe(403);
    expect(await of(ann, { ...form, formToken: await formTokenOf(`${url}/`, vic) })).toBe(403);
    expect(await of(ann, whole, { origin: 'http://evil.example' })).toBe(403);
    expect(await of(ann, whole, { origin: 'null' })).toBe(403);
    expect(await of(ann, whole, { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await of(ann, { ...whole, reason: '  ' })).toBe(400);
    expect(await of(ann, { ...whole, reason: 'x'.repeat(501) })).toBe(400);
    expect(await of(ann, { ...whole, reason: '\u200b\u0000' })).toBe(400);
    expect(await of(ann, { formToken, reason: 'because' })).toBe(400);
    expect(changes).toHaveLength(0);
    expect(await of(ann, whole)).toBe(303);
    expect(changes).toMatchObject([
      { fields: { what: 'x' }, reason: 'because', visitor: { name: 'ann', role: 'operator', by: 'session' } },
    ]);
  });

  test('by a script needs its token alone', async () => {
    const { changes, sections } = remembering();
    const url = await serveConsole({ sections });
    const of = async (token: string) =>
      (await ask(`${url}/things`, { headers: { authorization: `Bearer ${token}` }, form })).status;
    expect([await of(tokens.vic), await of(tokens.ann)]).toEqual([403, 303]);
    expect(changes).toHaveLength(1);
  });
});

test('open reading lets everybody read, and nobody change anything', async () => {
  const { changes, sections } = remembering();
  const url = await serveConsole({ sections, openReading: true });
  expect((await ask(`${url}/`)).body).toContain('reading is open');
  const { status, headers } = await ask(`${url}/things`, { form: { what: 'x', reason: 'y' } });
  expect([status, headers.location]).toEqual([303, '/sign-in?to=%2F&ended=yes']);
  expect(changes).toHaveLength(0);
});

describe('a Host', () => {
  test.each([
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example:80', 403],
    ['console.example.com', 200],
    ['CONSOLE.example.com:8443', 200],
    ['localhost:1', 200],
    ['10.0.0.7:8090', 200],
    ['[fd00::7]:8090', 200],
  ])('%j is answered with %i', async (host, status) => {
    const url = await serveConsole({ ...remembering(), openReading: true, hosts: ['console.example.com'] });
    expect((await ask(`${url}/`, { headers: { host } })).status).toBe(status);
  });
});

test('behind a proxy that sends another Host, a page by a name of CONSOLE_HOSTS is the console’s own, and no other', async () => {
  const { changes, sections } = remembering();
  const hosts = ['console.example.com', 'console.example.com:8443'];
  const url = await serveConsole({ sections, hosts });
  const signInFrom = (origin: string, more: Record<string, string> = {}) =>
    ask(`${url}/sign-in`, { headers: { origin, ...more }, form: { token: tokens.ann } });
  const own = { origin: 'https://console.example.com' };
  const { status, headers } = await signInFrom(own.origin, { 'sec-fetch-site': 'same-origin' });
  expect(status).toBe(303);
  const cookie = String(headers['set-cookie']).replace(/;.*/s, '');
  const form = { what: 'x', reason: 'y', formToken: await formTokenOf(`${url}/`, cookie) };
  expect((await ask(`${url}/things`, { headers: { cookie, ...own }, form })).status).toBe(303);
  expect(changes).toHaveLength(1);
  expect((await signInFrom('https://console.example.com:8443')).status).toBe(303);
  const others = [
    'https://console.example.com:9000',
    'https://x.console.example.com',
    'http://localhost',
    'null',
  ];
  for (const origin of others) {
    const refused = await signInFrom(origin);
    expect([origin, refused.status]).toEqual([origin, 403]);
    expect(refused.body).toMatch(/Origin.*(Host.*CONSOLE_HOSTS|another site)/);
  }
  const foreign = await signInFrom(own.origin, { 'sec-fetch-site': 'cross-site' });
  expect(foreign.status).toBe(403);
});

test('a link on another site comes in by one more step, and a script of it not at all', async () => {
  const url = await serveConsole(remembering());
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  const link = await ask(`${url}/?a=1`, { headers: foreign });
  expect([link.status, link.headers.refresh]).toEqual([200, '0; url=/?a=1']);
  const twisted = await ask(url, { headers: foreign, method: 'GET' });
  expect(twisted.headers.refresh).toBe('0; url=/');
  expect((await ask(`${url}/`, { headers: { ...foreign, 'sec-fetch-mode': 'no-cors' } })).status).toBe(403);
});

describe('a proxy’s identity header', () => {
  const identity = { header: 'X-Forwarded-Email', operators: ['op@example.com'] };

  test('counts from the named addresses only', async () => {
    const { changes, sections } = remembering();
    const trusted = await serveConsole({ sections, identity, trustedProxies: ['10.0.0.1', '127.0.0.0/8'] });
    const other = await serveConsole({ sections, identity, trustedProxies: ['10.0.0.0/8'] });
    const headers = { 'x-forwarded-email': 'someone@example.com' };
    expect((await ask(`${trusted}/`, { headers })).body).toContain('someone@example.com (viewer)');
    expect((await ask(`${other}/`, { headers })).status).toBe(303);
    const operator = { 'x-forwarded-email': 'op@example.com' };
    const token = /name="formToken" value="([^"]+)"/.exec(
      (await ask(`${trusted}/`, { headers: operator })).body,
    );
    expect(token).toBeNull();
    expect(
      (await ask(`${trusted}/things`, { headers: operator, form: { what: 'x', reason: 'y' } })).status,
    ).toBe(403);
    expect(changes).toHaveLength(0);
  });

  test.each([
    ['UTF-8', 'utf8'],
    ['ISO 8859-1', 'latin1'],
  ] as const)('may be in %s', async (_what, encoding) => {
    const identity = { header: 'X-Forwarded-Email', operators: ['jürgen@example.com'] };
    const url = await serveConsole({ ...remembering(), identity, trustedProxies: ['127.0.0.1'] });
    const nameOf = async (name: string) => {
      const sent = { 'x-forwarded-email': Buffer.from(name, encoding).toString('latin1') };
      return /<span>([^<]*)<\/span>/.exec((await ask(`${url}/`, { headers: sent })).body)?.[1];
    };
    expect(await nameOf('jürgen@example.com')).toBe('jürgen@example.com');
    expect(await nameOf('zoë@example.com')).toBe('zoë@example.com (viewer)');
    // Another spelling of the same name may be another account.
    const decomposed = 'jürgen@example.com'.normalize('NFD');
    if (encoding === 'utf8') expect(await nameOf(decomposed)).toBe(`${decomposed} (viewer)`);
  });

  test('is who it is, whatever token the proxy passes on beside it', async () => {
    const { changes, sections } = remembering();
    const trustedProxies = ['127.0.0.1'];
    const url = await serveConsole({ sections, identity, trustedProxies });
    const headers = { 'x-forwarded-email': 'op@example.com' };
    for (const token of [...Array(12).fill('x'.repeat(30)), 'x'.repeat(800), tokens.vic]) {
      const sent = { ...headers, authorization: `Bearer ${token}` };
      expect((await ask(`${url}/`, { headers: sent })).body).toContain('<span>op@example.com</span>');
    }
    // Such a token proves nothing: a form still needs the one of its page.
    const sent = { ...headers, authorization: `Bearer ${tokens.ann}` };
    expect((await ask(`${url}/things`, { headers: sent, form: { what: 'x', reason: 'y' } })).status).toBe(
      403,
    );
    expect(changes).toHaveLength(0);
    // None was judged, so none counts; without the header one is.
    const alone = { authorization: `Bearer ${tokens.ann}` };
    expect((await ask(`${url}/`, { headers: alone })).body).toContain('<span>ann</span>');
    const other = await serveConsole({ sections, identity, trustedProxies: ['10.0.0.1'] });
    const wrong = { ...headers, authorization: `Bearer ${'x'.repeat(30)}` };
    expect((await ask(`${other}/`, { headers: wrong })).status).toBe(401);
  });

  test('makes cookies secure where the proxy speaks TLS', async () => {
    const url = await serveConsole({ trustedProxies: ['127.0.0.1'] });
    const sent = { headers: { 'x-forwarded-proto': 'https' }, form: { token: tokens.ann } };
    expect(String((await ask(`${url}/sign-in`, sent)).headers['set-cookie'])).toContain('; Secure');
    const alone = await serveConsole();
    expect(String((await ask(`${alone}/sign-in`, sent)).headers['set-cookie'])).not.toContain('Secure');
  });
});

test('every answer says what a browser may do with it', async () => {
  const url = await serveConsole(remembering());
  for (const path of ['/sign-in', '/nowhere', '/']) {
    const { headers } = await ask(`${url}${path}`);
    const csp = String(headers['content-security-policy']);
    expect(csp).toMatch(/^default-src 'none';/);
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).not.toMatch(/unsafe|https?:|data:|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
});
