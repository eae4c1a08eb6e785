/** A console over HTTP, for tests: with the test's sections, and handwritten browser headers. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { parseConsoleToken } from '../../src/config/console.ts';
import { holdersOf } from '../../src/console/access/tokens.ts';
import { type ConsoleOptions, createConsole } from '../../src/console/server.ts';

export const tokens = {
  ann: `ann-${'a'.repeat(30)}`,
  vic: `vic-${'v'.repeat(30)}`,
} as const;

const holders = holdersOf(
  [`ann:operator:${tokens.ann}`, `vic:viewer:${tokens.vic}`].flatMap((line) => parseConsoleToken(line) ?? []),
);

/** @returns its address. Errors of the console itself are thrown when the test ends. */
export async function serveConsole(options: Partial<ConsoleOptions> = {}): Promise<string> {
  return (await startConsole(options)).url;
}

/** The same, but it can be ended earlier, and started again on the same port. */
export async function startConsole(options: Partial<ConsoleOptions> = {}, port = 0) {
  const errors: unknown[] = [];
  const app = await createConsole({
    sections: [],
    holders: () => holders,
    hosts: [],
    openReading: false,
    trustedProxies: [],
    now: Date.now,
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(async () => {
    await app.close();
    if (errors.length > 0) throw new AggregateError(errors, 'the console has failed');
  });
  return { url: await app.listen({ host: '127.0.0.1', port }), close: () => app.close() };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request with exactly these headers. A form claims to come from the console's own page, unless `headers` says otherwise. */
export async function ask(
  url: string,
  { method, headers = {}, form, body: given }: Asked = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const posted = form !== undefined && {
    'content-type': 'application/x-www-form-urlencoded',
    origin: new URL(url).origin,
  };
  const sent = request(
    url,
    { method: method ?? (form ? 'POST' : 'GET'), headers: { ...posted, ...headers } },
    (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    },
  );
  sent.on('error', reject).end(given ?? (form && new URLSearchParams(form).toString()));
  return await promise;
}

/** Signs in. @returns the cookie to send. */
export async function signIn(url: string, token: string): Promise<string> {
  const { headers } = await ask(`${url}/sign-in`, { form: { token } });
  return String(headers['set-cookie']).replace(/;.*/s, '');
}

/** The token in the forms of the page. */
export async function formTokenOf(url: string, cookie: string): Promise<string> {
  const { body } = await ask(url, { headers: { cookie } });
  return /name="formToken" value="([^"]+)"/.exec(body)?.[1] ?? '';
}
