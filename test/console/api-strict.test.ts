/** What the HTTP API is asked is taken as it is written, or refused: over all operations of its document. */
import { describe, expect, test } from 'vitest';
import { letterRoutes } from '../../src/console/api/dead-letters.ts';
import { jobRoutes } from '../../src/console/api/jobs.ts';
import { observeRoutes } from '../../src/console/api/observe.ts';
import { planRoutes } from '../../src/console/api/plans.ts';
import { apiSection } from '../../src/console/api/serve.ts';
import { setLetters } from '../../testing/console/letters.ts';
import { ask, serveConsole, tokens } from '../../testing/console/serve.ts';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Listed extends Operation {
  readonly method: string;
  readonly url: string;
  readonly body: Schema | undefined;
}

const job = 'j';
const subjects: Readonly<Record<string, string>> = {
  job,
  group: 'aaaaaaaa',
  letter: 'letter-1',
  change: '01234567-89ab-4cde-8f01-23456789abcd',
};
const authorization = `Bearer ${tokens.ann}`;
const json = { authorization, 'content-type': 'application/json' };

/** Nothing is served: whatever is asked here is refused before. */
async function opened() {
  const url = await serveConsole({
    sections: [
      apiSection(
        [
          ...observeRoutes({} as never),
          ...jobRoutes({} as never),
          ...planRoutes({} as never),
          ...letterRoutes('none'),
        ],
        '0',
        Date.now,
      ),
    ],
  });
  const { paths } = JSON.parse((await ask(`${url}/api/v1/openapi.json`, { headers: json })).body) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Listed => ({
        ...operation,
        method: method.toUpperCase(),
        url: url + path.replace(/\{(\w+)\}/, (_all, name: string) => subjects[name] ?? ''),
        body: operation.requestBody?.content['application/json']?.schema,
      }),
    ),
  );
  return { url, operations };
}

/** Each object that a body has, by where it is. */
function objectsIn(schema: Schema, at: readonly string[] = []): { at: readonly string[]; schema: Schema }[] {
  if (schema.type !== 'object') return [];
  const inner = Object.entries(schema.properties ?? {});
  return [{ at, schema }, ...inner.flatMap(([name, one]) => objectsIn(one, [...at, name]))];
}

const sent = async ({ method, url }: Pick<Listed, 'method' | 'url'>, body: unknown, query = '') => {
  const text = method === 'POST' ? { body: JSON.stringify(body) } : {};
  const answer = await ask(`${url}${query}`, { method, headers: json, ...text });
  return { status: answer.status, detail: String(JSON.parse(answer.body).detail) };
};

describe('what is not known is refused by name', () => {
  test('each object of each body has the fields of the document, and no others', async () => {
    const { operations } = await opened();
    const bodies = operations.flatMap((one) => (one.body === undefined ? [] : [{ one, body: one.body }]));
    expect(bodies.length).toBeGreaterThan(10);
    for (const { one, body } of bodies)
      for (const { at, schema } of objectsIn(body)) {
        expect([one.operationId, at, schema.additionalProperties]).toEqual([one.operationId, at, false]);
        const where = at.join('.') || 'What was sent';
        for (const name of Object.keys(schema.properties ?? {})) {
          const wrong = { [`${name}${name.at(-1)}`]: 1 };
          const { status, detail } = await sent(
            one,
            at.reduceRight<object>((inner, outer) => ({ [outer]: inner }), wrong),
          );
          expect([one.operationId, status]).toEqual([one.operationId, 400]);
          expect(detail).toContain(
            `${where}: there is no field "${name}${name.at(-1)}" (did you mean "${name}"?).`,
          );
        }
      }
  });

  test('each operation has the parameters of the document, and no others', async () => {
    const { operations } = await opened();
    for (const one of operations.filter(({ requestBody }) => requestBody?.content['text/csv'] === undefined))
      expect(await sent(one, { reason: 'x' }, '?nonesuch=1'), one.operationId).toMatchObject({
        status: 400,
        detail: expect.stringContaining('What was sent: there is no field "nonesuch".'),
      });
    const jobs = operations.find(({ operationId }) => operationId === 'listJobs');
    expect((await sent(jobs as Listed, {}, '?maxx=1')).detail).toBe(
      'What was sent: there is no field "maxx" (did you mean "max"?).',
    );
    const plan = operations.find(({ operationId }) => operationId === 'makePlan');
    expect(
      (
        await ask(`${plan?.url}?reason=x&jbo=a`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'text/csv' },
          body: 'a',
        })
      ).body,
    ).toContain('did you mean');
  });
});

test('each operation that takes JSON takes nothing else, and one that takes a file no JSON', async () => {
  const { operations } = await opened();
  for (const { method, url, body, operationId } of operations.filter((one) => one.method === 'POST')) {
    const types =
      body === undefined
        ? ['application/json', 'text/plain', 'text/csv; charset=latin1']
        : [
            'application/json; charset=latin1',
            'application/json;CHARSET="utf-16"',
            'application/x-www-form-urlencoded',
            'text/plain',
            'text/csv',
            'multipart/form-data; boundary=x',
          ];
    for (const type of types) {
      const { status, body: text } = await ask(url, {
        method,
        headers: { authorization, 'content-type': type },
        body: type.startsWith('application/x') ? 'reason=x' : '{"reason":"x"}',
      });
      expect([operationId, type, status]).toEqual([operationId, type, 415]);
      expect(JSON.parse(text).detail).toMatch(/^Send the .*Content-Type: (application\/json|text\/csv or )/);
    }
  }
});

test('a number of a query is written in digits, and within its bounds', async () => {
  const { operations } = await opened();
  const numbers = operations.flatMap((one) =>
    one.parameters.filter(({ schema }) => schema.type === 'integer').map(({ name }) => ({ one, name })),
  );
  expect(numbers.length).toBeGreaterThan(4);
  for (const { one, name } of numbers)
    for (const wrong of ['', '0x10', '1e2', '-1', '1.5', ' 1', '9'.repeat(15), '٣']) {
      const { status, detail } = await sent(one, {}, `?${name}=${encodeURIComponent(wrong)}`);
      expect([one.operationId, wrong, status]).toEqual([one.operationId, wrong, 400]);
      expect(detail).toContain(`${name}: must be a whole number from `);
    }
});

test.each([
  ['/dead-letters/groups/zzzzzzzz', 'group: must be the eight characters of a cause, digits and a to f.'],
  ['/dead-letters/changes/x', 'change: must be a UUID, from the answer that began the change.'],
  ['/jobs/j/rows?identifier=a%20b', 'identifier: must have 1 to 200 letters and digits.'],
])('%s is told what is expected', async (path, detail) => {
  const { url } = await opened();
  expect(await sent({ method: 'GET', url: `${url}/api/v1${path}` }, {})).toEqual({ status: 400, detail });
});

test('no letters are not all letters', async () => {
  const { openDesk, addLetters, stage } = await setLetters();
  await addLetters(2, 'fixed');
  const desk = openDesk();
  const url = await serveConsole({ sections: [apiSection(letterRoutes(desk), '0', Date.now)] });
  const wanted = { reason: 'x', group: 'aaaaaaaa', letters: [] };
  for (const action of ['redrive', 'purge'])
    expect(
      await sent({ method: 'POST', url: `${url}/api/v1/dead-letters/changes` }, { ...wanted, action }),
    ).toEqual({ status: 400, detail: 'letters: must name at least 1.' });
  expect(desk.changes).toEqual([]);
  expect(await stage.deadLetters()).toHaveLength(2);
});

test.each([{ rate: 2 }, { canary: 2 }, { force: true }])('a purge with %j is refused', async (more) => {
  const { url } = await opened();
  const wanted = { reason: 'x', group: 'aaaaaaaa', ...more };
  const plan = { method: 'POST', url: `${url}/api/v1/dead-letters/changes` };
  const [field] = Object.keys(more);
  expect(await sent(plan, { ...wanted, action: 'purge' })).toEqual({
    status: 400,
    detail: `${field}: is only for a redrive, not for a purge.`,
  });
  expect((await sent(plan, { ...wanted, action: 'redrive' })).status).toBe(503);
});

test.each([
  [{ rate: 1e308 }, 'settings.rate: must be at most 1000000000.'],
  [{ rate: 0 }, 'settings.rate: must be above 0.'],
  [{ window: 1e15 }, 'settings.window: must be at most 999999999999999.'],
])('settings %j have the bounds of the flags', async (settings, detail) => {
  const { url } = await opened();
  for (const path of ['/plans/j/apply', '/jobs/j/set'])
    expect(await sent({ method: 'POST', url: `${url}/api/v1${path}` }, { reason: 'x', settings })).toEqual({
      status: 400,
      detail,
    });
});

test.each(['.', '..'])('no job is named %s, which no address can name', async (name) => {
  const { url } = await opened();
  const post = (path: string, body: object) =>
    sent({ method: 'POST', url: `${url}/api/v1${path}` }, { reason: 'x', ...body });
  expect(await post('/jobs/j/undo', { name })).toEqual({
    status: 400,
    detail: 'name: may not be one dot or two.',
  });
  expect((await post('/plans/live', { job: name, set: { Description: 'x' } })).status).toBe(400);
  const { status } = await ask(`${url}/api/v1/plans?reason=x&job=${name}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/csv' },
    body: 'a',
  });
  expect(status).toBe(400);
});
