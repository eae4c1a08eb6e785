/** Uploads by a form and by the API: none, too large, without end, cut in the middle, slow. */
import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { makeApiClient } from '../../testing/console/api-client.ts';
import { openConsoleJobs, plansOf, setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { formTokenOf, tokens } from '../../testing/console/serve.ts';
import { apiHeaders } from '../../testing/stages/api.ts';

type Set = Awaited<ReturnType<typeof setConsoleJobs>>;

const field = (name: string, value: string): string =>
  `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file =
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nIdentifier,Description\n';

/** A request whose body the test sends piece by piece. */
function open(url: string, headers: Readonly<Record<string, string>>) {
  const sent = request(url, { method: 'POST', headers });
  const { promise: answer, resolve } = Promise.withResolvers<number | 'cut'>();
  sent.on('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  sent.on('error', () => resolve('cut'));
  onTestFinished(() => void sent.destroy());
  return { sent, answer };
}

/** An upload by the form of a new job, up to the begin of its file. */
async function openForm({ url, ann }: Set, jobId: string, headers: Readonly<Record<string, string>> = {}) {
  const formToken = await formTokenOf(`${url}/jobs`, ann.cookie);
  const opened = open(`${url}/jobs/new`, {
    cookie: ann.cookie,
    origin: url,
    'content-type': 'multipart/form-data; boundary=b',
    ...headers,
  });
  opened.sent.write(`${field('formToken', formToken)}${field('reason', 'r')}${field('jobId', jobId)}${file}`);
  return opened;
}

function openApi({ url }: Set, job: string) {
  return open(`${url}/api/v1/plans?job=${job}&reason=r&refresh=false`, {
    authorization: `Bearer ${tokens.ann}`,
    'content-type': 'text/csv',
  });
}

/** Sends rows for as long as they are taken. @returns how many bytes were. */
async function sendWithoutEnd(sent: ClientRequest, answer: Promise<unknown>): Promise<number> {
  const rows = 'task1,x\n'.repeat(8_192);
  let bytes = 0;
  let answered = false;
  const over = answer.then(() => {
    answered = true;
  });
  while (!answered) {
    bytes += rows.length;
    if (!sent.write(rows)) await Promise.race([once(sent, 'drain').catch(() => {}), over]);
    // What has been answered meanwhile is seen.
    await new Promise((done) => setImmediate(done));
  }
  return bytes;
}

test('a file that is none or too large leaves a sentence, and nothing else', async () => {
  const set = await setConsoleJobs({ send: false, mostBytes: 100_000 });
  const { ann } = set;
  const picture = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 1, 255, 254]);
  expect((await ann.upload('a.png', picture, { jobId: 'png' })).location).toBe('/jobs/plans/png');
  await shows(ann.get, '/jobs/plans/png', /class="fault"/);
  const large = await ann.upload('a.csv', 'x'.repeat(200_000), { jobId: 'large' });
  expect(large).toMatchObject({ status: 413 });
  expect(large.body).toContain('larger than');
  expect((await ann.upload('', '', { jobId: 'none' })).body).toContain('Choose a file');
  expect(plansOf(set)).toEqual([]);
});

test('two gigabytes are refused before they are sent, and a file without end when it is too large', async () => {
  const set = await setConsoleJobs({ send: false, mostBytes: 1_000_000 });
  const told = await openForm(set, 'told', { 'content-length': String(2 * 1_073_741_824) });
  expect(await told.answer).toBe(413);
  const endless = await openForm(set, 'endless');
  const bytes = await sendWithoutEnd(endless.sent, endless.answer);
  expect(await endless.answer).toBe(413);
  const api = openApi(set, 'api');
  const more = await sendWithoutEnd(api.sent, api.answer);
  expect(await api.answer).toBe(413);
  // Besides what was read, what was on its way.
  expect(Math.max(bytes, more)).toBeLessThan(32_000_000);
  await expect.poll(() => plansOf(set)).toEqual([]);
});

test('a packed file that is too large says so, and one that is none says that', async () => {
  const set = await setConsoleJobs({ send: false, mostBytes: 100_000 });
  const { call } = await makeApiClient(set.url, tokens.ann);
  const packed = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
  const file = gzipSync(`Identifier,Description\n${'task1,x\n'.repeat(100_000)}`);
  expect(await call('makePlan', { reason: 'r' }, file, packed)).toMatchObject({
    status: 413,
    data: { detail: expect.stringContaining('The file is larger than') },
  });
  expect((await call('makePlan', { reason: 'r' }, file.subarray(0, 20), packed)).status).toBe(400);
  expect(plansOf(set)).toEqual([]);
});

test.each(['report.json', 'plan.jsonl', 'upload', 'upload.refused.csv', 'p.refused.csv'])(
  'a file named %s is planned as any other, and its plan is there after a restart',
  async (name) => {
    const set = await setConsoleJobs({ send: false });
    const rows = ['task1', '-'].map((Identifier) =>
      JSON.stringify({ Identifier, TaskConfigurationId: 'new' }),
    );
    expect((await set.ann.upload(name, rows.join('\n'), { jobId: 'p' })).location).toBe('/jobs/plans/p');
    await shows(set.ann.get, '/jobs/plans/p', 'To send');
    const next = await openConsoleJobs(set, { send: false });
    for (const { get } of [set.ann, next.ann]) {
      const { status, body } = await get('/jobs/plans/p');
      expect([status, body]).toEqual([200, expect.stringContaining(name)]);
      expect((await get('/jobs/plans/p/refused.csv')).body).toContain('Identifier');
    }
    expect((await next.ann.post('/jobs/plans/p/apply', { name: 'p' })).headers.location).toBe(
      '/jobs/of/p?done=apply',
    );
  },
);

test('a plan with nothing to change says so where it is applied', async () => {
  const { url, stage } = await setConsoleJobs({ send: false });
  const { call } = await makeApiClient(url, tokens.ann);
  await fetch(`${stage.api.url}/ota-tasks/task1`, {
    method: 'PUT',
    headers: apiHeaders,
    body: JSON.stringify({ TaskConfigurationId: 'new' }),
  });
  const csv = { 'content-type': 'text/csv' };
  const reason = 'r';
  await call('makePlan', { reason, job: 'same' }, 'Identifier,TaskConfigurationId\ntask1,new\n', csv);
  const made = async () => (await call('showPlan', { job: 'same' })).data;
  await expect.poll(made).toMatchObject({ state: 'made', counts: { toChange: 0 } });
  expect(await call('applyPlan', { job: 'same' }, { reason })).toMatchObject({
    status: 409,
    data: { detail: expect.stringContaining('it has nothing to change') },
  });
});

test('what is cut in the middle leaves nothing', async () => {
  const set = await setConsoleJobs({ send: false });
  for (const { sent } of [await openForm(set, 'cut'), openApi(set, 'cut')]) {
    sent.write('task1,x\n');
    await expect.poll(() => plansOf(set)).toEqual(['p-cut']);
    sent.destroy();
    await expect.poll(() => plansOf(set)).toEqual([]);
    expect((await set.ann.get('/jobs/plans/cut')).status).toBe(404);
  }
});

test('an upload may take longer than a form, which is cut', async () => {
  const set = await setConsoleJobs({ send: false, bodyMs: 300 });
  const [form, api] = [await openForm(set, 'form'), openApi(set, 'api')];
  api.sent.write('Identifier,Description\n');
  await expect.poll(() => plansOf(set).sort()).toEqual(['p-api', 'p-form']);
  const slow = open(`${set.url}/jobs/of/j/pause`, {
    cookie: set.ann.cookie,
    origin: set.url,
    'content-type': 'application/x-www-form-urlencoded',
  });
  slow.sent.write('reason=');
  expect(await slow.answer).toBe('cut');
  form.sent.end('task1,x\r\n--b--\r\n');
  api.sent.end('task1,x\n');
  expect(await form.answer).toBe(303);
  expect(await api.answer).toBe(200);
});
