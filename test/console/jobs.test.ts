/** Jobs by the console over HTTP: planned from an upload, applied, steered, retried, undone; rows, reports and faults. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { askedFields } from '../../src/console/dead-letters/asked.ts';
import { makeApiClient } from '../../testing/console/api-client.ts';
import { openHole } from '../../testing/console/hole.ts';
import { openConsoleJobs, plansOf, setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { tokens } from '../../testing/console/serve.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { REGION } from '../../testing/stages/stage.ts';

const csv = (ids: readonly string[]): string =>
  `Identifier,TaskConfigurationId\n${ids.map((id) => `${id},new\n`).join('')}`;

test('an uploaded file is planned, applied with stages, followed to its end, retried and undone', async () => {
  const set = await setConsoleJobs({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } } });
  const { ann, ids, stage } = set;
  await stage.worker.start();
  const content = csv([...ids(30), 'gone1', 'no good']);
  const sent = await ann.upload('Café <b>.csv', content, { jobId: 'j', refresh: 'yes' });
  expect(sent).toMatchObject({ status: 303, location: '/jobs/plans/j' });
  const plan = await shows(ann.get, '/jobs/plans/j', 'To send');
  expect(plan.body).toMatch(/<dt>to change<\/dt><dd>3[01]<\/dd>/);
  expect(plan.body).toContain('Caf___b_.csv');
  expect(plan.body).toContain('Identifier');
  expect((await ann.get('/jobs/plans/j/refused.csv')).body).toContain('no good');
  expect((await ann.post('/jobs/plans/j/apply', { name: 'x' })).body).toContain('type the job&#39;s name');
  const bad = await ann.post('/jobs/plans/j/apply', { name: 'j', stages: '50%,10%' });
  expect(bad.status).toBe(400);
  expect(bad.body).toContain('&quot;Stages&quot;');
  const applied = await ann.post('/jobs/plans/j/apply', { name: 'j', stages: '10,100%' });
  expect(applied.headers.location).toBe('/jobs/of/j?done=apply');
  expect(plansOf(set)).toEqual([]);
  const done = await shows(ann.get, '/jobs/of/j', /<h1>Job j: done/);
  expect(done.body).toMatch(/<dt>applied<\/dt><dd>30<\/dd>/);
  expect(done.body).toContain('because');
  expect(done.body).toContain('ann@console');
  // Of an end: how fast it was, how long it took, and by whom it is what it is.
  expect(done.body).toMatch(/<dt>rows per second, on average<\/dt><dd>[\d.,]+<\/dd>/);
  expect(done.body).toMatch(/<dt>ended<\/dt><dd>\S+ \S+ UTC, \S+ after its start; \S+ of it at work<\/dd>/);
  expect(done.body).toMatch(/<dt>state<\/dt><dd>done since \S+ \S+ UTC by \S+<\/dd>/);
  expect((await ann.get('/jobs')).body).toContain('/jobs/of/j');

  expect((await ann.post('/jobs/of/j/pause')).status).toBe(409);
  expect((await ann.get('/jobs/of/j/report.csv')).body.split('\n').length).toBeGreaterThan(31);
  expect(JSON.parse((await ann.get('/jobs/of/j/report.json')).body)).toHaveLength(32);

  const undo = await ann.post('/jobs/of/j/undo');
  expect(undo.headers.location).toBe('/jobs/plans/j-undo');
  await shows(ann.get, '/jobs/plans/j-undo', /To send|nothing to change/);
});

/** What the stream of plan `j` says until then. */
async function planStreamUntil(url: string, isThere: (text: string) => boolean): Promise<string> {
  const headers = { authorization: `Bearer ${tokens.vic}`, accept: 'text/event-stream' };
  const gone = new AbortController();
  const { body } = await fetch(`${url}/live/plans/j`, { headers, signal: gone.signal });
  let text = '';
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (isThere(text)) break;
  }
  gone.abort();
  return text;
}

test('the stream of a plan whose rows took long to enter leads to its job', async () => {
  const { url, run, plan, ids } = await setConsoleJobs({ send: false });
  await plan(ids(5));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  const text = await planStreamUntil(url, (all) => all.includes('\n\n'));
  expect(text).toContain('The job is in the ledger. <a href="/jobs/of/j">See it</a>');
  expect(text).not.toContain('event: reload');
});

test('the stream of a plan has its page loaded again once it is made', async () => {
  const { url, ann, ids } = await setConsoleJobs({ send: false });
  await ann.upload(
    'rows.csv',
    `Identifier,Description\n${ids(5)
      .map((id) => `${id},x\n`)
      .join('')}`,
    { jobId: 'j' },
  );
  const text = await planStreamUntil(url, (all) => all.split('event: reload')[1]?.includes('\n\n') === true);
  expect(text.indexOf('The plan is made.')).toBeLessThan(text.indexOf('event: reload'));
  expect((await ann.get('/jobs/plans/j')).body).toContain('id="apply-name"');
});

test('of a job that somebody stops it says how far it came, who it was and why', async () => {
  const { ann, run, plan, ids } = await setConsoleJobs({ send: false });
  await plan(ids(5));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await ann.post('/jobs/of/j/stop', { reason: 'the wrong file' });
  const { body } = await ann.get('/jobs/of/j');
  expect(body).toMatch(/<dt>state<\/dt><dd>stopped since \S+ \S+ UTC by ann@console: the wrong file<\/dd>/);
  expect(body).toContain('<dt>rows per second, on average</dt><dd>-</dd>');
});

test('the page of a job says of settings that do nothing what the commands say', async () => {
  const { url, ann, run, plan, ids } = await setConsoleJobs({ send: false });
  await plan(ids(5));
  const applied = await run(['apply', 'j.jsonl', '--yes', '--detach', '--abort-when', 'failed>2%/200']);
  const note = "--abort-when 'failed>2%/200' can never act: the job has 5 rows, and it needs 200 ends";
  expect(applied.stderr).toContain(note);
  const { body } = await ann.get('/jobs/of/j');
  expect(body).toContain(
    `<p class="note">Note: ${note.replaceAll("'", '&#39;').replaceAll('>', '&gt;')}.</p>`,
  );
  const { call } = await makeApiClient(url, tokens.vic);
  expect((await call('showJob', { job: 'j' })).data).toMatchObject({ idleSettings: [note] });
  await ann.post('/jobs/of/j/set', { unset: 'abortWhen' });
  expect((await ann.get('/jobs/of/j')).body).not.toContain('can never act');
});

test('a plan of many pairs of configurations compares the first, and names the command for each of the others', async () => {
  const { url, ann, ids } = await setConsoleJobs({
    api: { tasks: { kind: 'numbered', prefix: 'task', count: 200 } },
    send: false,
  });
  await ann.upload('many.csv', csv(ids(200)), { jobId: 'm', refresh: 'yes' });
  const { body } = await shows(ann.get, '/jobs/plans/m', 'To send');
  const left = /(\d+) more pairs?, not compared/.exec(body)?.[1];
  expect(Number(left)).toBeGreaterThan(0);
  expect(body.match(/<code>ota-updater configs diff cfgA\d new<\/code>/g)).toHaveLength(Number(left));
  const { call } = await makeApiClient(url, tokens.vic);
  const { configurations } = z
    .object({ configurations: z.array(z.object({ leftOut: z.boolean() })) })
    .parse((await call('showPlan', { job: 'm' })).data);
  expect(configurations.filter(({ leftOut }) => leftOut)).toHaveLength(Number(left));
});

test('a plan whose reading hangs names the API and since when it is away, and to discard it ends its making', async () => {
  const set = await setConsoleJobs({
    send: false,
    env: { CALL_TIMEOUT_MS: '200', MAX_ATTEMPTS: '20', RETRY_MAX_MS: '500', RETRY_BASE_MS: '500' },
  });
  const hole = await openHole();
  hole.hang();
  vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', `http://127.0.0.1:${hole.port}`);
  const { ann, url, ids } = set;
  await ann.upload('hangs.csv', csv(ids(3)), { jobId: 'h', refresh: 'yes' });
  const { body } = await shows(ann.get, '/jobs/plans/h', /, since 20\d\d-\d\d-\d\d \S+ UTC/);
  expect(body).toContain('Discard');
  await shows(
    ann.get,
    '/jobs/plans/h',
    /The IoT API cannot be reached \(.+\) since 20\d\d-\d\d-\d\d \S+ UTC: it is asked again, and discarding the plan ends this/,
  );
  const { call } = await makeApiClient(url, tokens.vic);
  expect((await call('showPlan', { job: 'h' })).data).toMatchObject({
    state: 'making',
    noteSince: expect.stringMatching(/^20.*Z$/),
    away: { since: expect.stringMatching(/^20.*Z$/), why: expect.stringContaining('cannot be reached') },
  });
  expect((await ann.post('/jobs/plans/h/discard')).status).toBe(303);
  expect((await ann.get('/jobs/plans/h')).status).toBe(404);
  expect(plansOf(set)).toEqual([]);
});

test('rows are filtered, searched and paged', async () => {
  const { ann, run, plan, ids } = await setConsoleJobs({ send: false });
  await plan(ids(250));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  const first = await ann.get('/jobs/of/j/rows');
  expect(first.body.match(/<th scope="row"/g)).toHaveLength(100);
  expect(first.body).toContain('/jobs/of/j/rows?after=100');
  const last = await ann.get('/jobs/of/j/rows?after=200');
  expect(last.body.match(/<th scope="row"/g)).toHaveLength(50);
  expect(last.body).not.toContain('Next page');
  const found = await ann.get('/jobs/of/j/rows?identifier=task24&state=planned');
  expect(found.body.match(/<th scope="row"/g)).toHaveLength(11);
  expect((await ann.get('/jobs/of/j/rows?state=failed')).body).toContain('There are no such rows');
  expect((await ann.get('/jobs/of/j/rows?state=x')).status).toBe(400);
  expect((await ann.get('/jobs/of/none/rows')).status).toBe(404);
  expect((await ann.get('/jobs/of/none')).status).toBe(404);
  expect((await ann.get('/jobs/plans/..')).status).toBe(404);
});

test('a job is paused, set, resumed and cancelled by an operator, with a reason, and by no viewer', async () => {
  const { ann, vic, run, plan, ids } = await setConsoleJobs({ send: false });
  await plan(ids(5));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  for (const step of ['pause', 'resume', 'stop', 'cancel', 'set', 'retry', 'undo', 'verify']) {
    const refused = await vic.post(`/jobs/of/j/${step}`, { name: 'j' });
    expect(refused.status).toBe(403);
  }
  expect((await vic.upload('a.csv', csv(ids(1)))).status).toBe(403);
  expect((await vic.get('/jobs/of/j')).body).not.toContain('<form method="post" action="/jobs');
  expect((await ann.post('/jobs/of/j/pause', { reason: ' ' })).body).toContain('Say why');
  // Two at once: one of them is told.
  const both = await Promise.all([ann.post('/jobs/of/j/pause'), ann.post('/jobs/of/j/pause')]);
  expect(both.map(({ status }) => status).sort()).toEqual([303, 409]);
  expect((await ann.post('/jobs/of/j/set', { rate: '7', unset: 'canary' })).headers.location).toContain(
    'done=set',
  );
  expect((await ann.get('/jobs/of/j')).body).toContain('7 rows/s at most');
  const same = await ann.post('/jobs/of/j/set', { rate: '7' });
  expect(same.headers.location).toContain('done=nothing-to-set');
  expect((await ann.post('/jobs/of/j/set', { rate: '-1' })).status).toBe(400);
  const past = await ann.post('/jobs/of/j/set', { startAt: '2025-12-01T01:00Z' });
  expect(past.status).toBe(409);
  expect(past.body).toContain('&quot;Start at&quot;, 2025-12-01 01:00:00 UTC, was ');
  expect((await ann.post('/jobs/of/j/set')).body).toContain('Say what to change');
  expect((await ann.post('/jobs/of/j/resume')).status).toBe(303);
  expect((await ann.post('/jobs/of/j/retry')).body).toContain('not sent yet');
  expect((await ann.post('/jobs/of/j/cancel', { name: 'i' })).status).toBe(400);
  expect((await ann.post('/jobs/of/j/cancel', { name: 'j' })).status).toBe(303);
  const { body } = await ann.get('/jobs/of/j');
  expect(body).toContain('<h1>Job j: cancelled');
  expect(body).toMatch(/<dt>not sent<\/dt><dd>0<\/dd>/);
});

test('outcomes that wait are collected before failed rows are tried again', async () => {
  const { ann, run, plan, ids, stage } = await setConsoleJobs({
    send: false,
    api: { tasks: { kind: 'all', exceptPrefix: 'gone' } },
  });
  await stage.worker.start();
  await plan(ids(2, 'gone'));
  expect(await run(['apply', 'j.jsonl', '--yes'])).toMatchObject({ exitCode: 3 });
  // One of them is put back, and applied.
  stage.api.configure({ tasks: { kind: 'all' } });
  const [letter] = await stage.deadLetters();
  await stage.send(letter?.body ?? '');
  await stage.ended(3);
  expect((await ann.post('/jobs/of/j/retry')).headers.location).toContain('done=retry');
  const { body } = await ann.get('/jobs/of/j');
  expect(body).toMatch(/<dt>applied<\/dt><dd>1<\/dd>/);
  expect(body).toMatch(/<dt>not sent<\/dt><dd>1<\/dd>/);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  const away = await ann.post('/jobs/of/j/retry');
  expect([away.status, away.body]).toEqual([503, expect.stringContaining('Nothing was changed')]);
});

test('what looks at tasks have found is shown by the next console, and that one was begun whose end nobody knows', async () => {
  const { ann, run, plan, ids, folder, env, stage } = await setConsoleJobs({ send: false });
  await stage.worker.start();
  await plan(ids(3));
  expect((await run(['apply', 'j.jsonl', '--yes'])).exitCode).toBe(0);
  expect((await ann.post('/jobs/of/j/verify')).status).toBe(303);
  await shows(ann.get, '/jobs/of/j', /<dt>read<\/dt><dd>3 tasks at/);
  const next = await openConsoleJobs({ env, folder });
  const page = async () => (await next.ann.get('/jobs/of/j')).body;
  expect(await page()).toMatch(/<h2>Devices<\/h2>.*<dt>read<\/dt><dd>3 tasks at/s);
  const { call } = await makeApiClient(next.url, tokens.vic);
  expect((await call('showDevices', { job: 'j' })).data).toMatchObject({
    state: 'seen',
    found: { job: 'j' },
  });
  const ledger = await openFileLedger(`${folder.path}/state`, () => Date.UTC(2026, 10, 29, 3));
  const line = { who: 'bob@console', subject: 'j', why: 'because' };
  await ledger.addAudit({ ...line, what: 'verify', detail: { applied: 3 } });
  expect(await page()).toContain(
    'bob@console started a look at the tasks at 2026-11-29 03:00:00 UTC, and how it ended is not known',
  );
  expect((await call('showDevices', { job: 'j' })).data).toMatchObject({ state: 'cut-off', found: null });
  await ledger.addAudit({ ...line, what: 'verified', detail: { why: 'No task could be read.' } });
  expect(await page()).toContain('No task could be read.');
  // The first console has found another end itself, before.
  expect((await ann.get('/jobs/of/j')).body).toContain('No task could be read.');
  await ledger.addAudit({
    ...line,
    what: 'reconciled',
    detail: { applied: 2, again: 0, gone: 0, unknown: 1 },
  });
  expect(await page()).toContain('2, according to their tasks');
  for (let i = 0; i < 60; i++) await ledger.addAudit({ ...line, what: 'set', detail: {} });
  const later = await page();
  expect(later).toContain('2, according to their tasks');
  expect(later).toContain('No task could be read.');
  expect((await call('showReconciliation', { job: 'j' })).data).toMatchObject({ state: 'seen' });
  await ledger.close();
});

test('what an older look has found comes into the log late, and hides nothing of a newer one', async () => {
  const { ann, run, plan, ids, folder, stage } = await setConsoleJobs({ send: false });
  await stage.worker.start();
  await plan(ids(1));
  expect((await run(['apply', 'j.jsonl', '--yes'])).exitCode).toBe(0);
  const ledger = await openFileLedger(`${folder.path}/state`, Date.now);
  onTestFinished(() => ledger.close());
  const line = { who: 'bob@console', subject: 'j', why: 'because' };
  const begin = (look: string) => ledger.addAudit({ ...line, what: 'verify', detail: { applied: 1, look } });
  const end = (look: string) =>
    ledger.addAudit({ ...line, what: 'verified', detail: { why: `Look ${look} has failed.`, look } });
  const page = async () => (await ann.get('/jobs/of/j')).body;
  await begin('1');
  await begin('2');
  await end('2');
  for (let i = 0; i < 120; i++) await ledger.addAudit({ ...line, what: 'set', detail: {} });
  await end('1');
  expect(await page()).toMatch(/<h2>Devices<\/h2>(?:(?!<h2>).)*Look 2 has failed\./s);
  await begin('3');
  await end('2');
  expect(await page()).toContain('bob@console started a look at the tasks at');
  await end('3');
  expect(await page()).toMatch(/<h2>Devices<\/h2>(?:(?!<h2>).)*Look 3 has failed\./s);
  await ann.post('/jobs/of/j/verify');
  await shows(ann.get, '/jobs/of/j', /<dt>read<\/dt><dd>1 task at/);
  await end('3');
  expect(await page()).toMatch(/<dt>read<\/dt><dd>1 task at/);
});

/** A job that waits to be sent. */
async function waiting() {
  const set = await setConsoleJobs({ send: false });
  const { run, plan, ids, url } = set;
  await plan(ids(2));
  expect((await run(['apply', 'j.jsonl', '--yes', '--detach'])).exitCode).toBe(0);
  return { ...set, ...(await makeApiClient(url, tokens.ann)) };
}

test('what is wrong with a setting names its field: by its label in a form, and by its name in the API', async () => {
  const { ann, call } = await waiting();
  const set = (settings: object) => call('setJob', { job: 'j' }, { reason: 'because', settings });
  for (const [settings, label] of [
    [{ startAt: '' }, 'Start at'],
    [{ canary: '200%' }, 'Canary'],
    [{ tz: 'Europe/Berlin' }, 'Time zone'],
    [{ undoOnAbort: true }, 'Undo when a rule stops it'],
  ] as const) {
    const { status, data } = await set(settings);
    const { detail } = data as { detail: string };
    // What the job has by then decides on the last one.
    expect([status, detail]).toEqual([
      'undoOnAbort' in settings ? 409 : 400,
      expect.stringMatching(new RegExp(`^${Object.keys(settings)[0]}\\b`)),
    ]);
    expect(detail).not.toContain('--');
    const form = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, value === true ? 'yes' : value || 'x']),
    );
    const { body } = await ann.post('/jobs/of/j/set', form);
    const [, fault] = /<p class="fault" role="alert">(.*?)<\/p>/.exec(body) ?? [];
    expect(fault).toContain(`&quot;${label}&quot;`);
    expect(fault).not.toContain('--');
  }
});

test('what is wrong in a form names its field by its label, also where it is no setting, and nothing is begun', async () => {
  const { ann } = await setConsoleJobs({ send: false });
  for (const [path, form, fault] of [
    ['/jobs/of/j/set', { rate: 'x' }, '&quot;Rate&quot;: must be a number above 0'],
    ['/jobs/of/j/set', { window: '0' }, '&quot;Window&quot;: must be a whole number'],
    [
      '/jobs/new/live',
      { setDescription: '<i>' },
      '&quot;Set this Description on every row&quot;: may hold only',
    ],
    [
      '/jobs/new/live',
      { setConfiguration: 'a-b' },
      '&quot;Set this TaskConfigurationId on every row&quot;: may hold',
    ],
  ] as const) {
    const { status, body } = await ann.post(path, form);
    expect([path, status, body]).toEqual([path, 400, expect.stringContaining(fault)]);
  }
  const rows = 'Identifier\ntask1\n';
  expect(await ann.upload('a.csv', rows, { jobId: 'p', setDescription: '<i>' })).toMatchObject({
    status: 400,
    body: expect.stringContaining('Set this Description on every row&quot;: may hold'),
  });
  expect((await ann.get('/jobs/plans/p')).status).toBe(404);
});

test('what is taken back has the name that it is set by, and only what is set is offered', async () => {
  const { ann, call } = await waiting();
  const set = (body: object) => call('setJob', { job: 'j' }, { reason: 'because', ...body });
  const given = {
    startAt: '2h',
    abortWhen: ['failed>1'],
    soak: '10m',
    stages: '1,100%',
  };
  const names = Object.keys(given);
  const offered = async () =>
    [...(await ann.get('/jobs/of/j')).body.matchAll(/name="unset" value="(\w+)"/g)].map(([, name]) => name);
  expect(await offered()).toEqual([]);
  expect(await set({ settings: given })).toMatchObject({ status: 200 });
  expect((await offered()).sort()).toEqual([...names].sort());
  expect((await ann.get('/jobs/of/j')).body).toContain('value="soak"> Soak</label>');
  expect(await set({ unset: ['start-at'] })).toMatchObject({
    status: 400,
    data: { detail: 'unset.0: there is no setting "start-at" (did you mean "startAt"?).' },
  });
  expect(await set({ unset: names })).toMatchObject({ status: 200 });
  expect(await offered()).toEqual([]);
});

test('numbers of forms have the bounds of flags', async () => {
  const { ann, run } = await waiting();
  const set = async (form: Record<string, string>) => (await ann.post('/jobs/of/j/set', form)).status;
  expect(await set({ window: '999999999999999', rate: '0.0001' })).toBe(303);
  expect((await run(['status', 'j', '--json'])).stdout).toMatch(/"window":999999999999999.*"rate":0\.0001/);
  for (const wrong of ['1e3', '0', '-1', '1'.repeat(16)]) {
    expect([wrong, await set({ window: wrong })]).toEqual([wrong, 400]);
    expect([wrong, await set({ rate: wrong === '0' ? wrong : `1${wrong}` })]).toEqual([wrong, 400]);
  }
  expect(await set({ rate: '1000000001' })).toBe(400);
  const asked = { action: 'redrive', group: 'aaaaaaaa' };
  const most = { limit: '999999999999999', canary: '999999999999999', rate: '1000000000' };
  expect(askedFields.parse({ ...asked, ...most })).toMatchObject({ limit: 999_999_999_999_999, rate: 1e9 });
  expect(askedFields.safeParse({ ...asked, rate: '1000000001' }).success).toBe(false);
});

test('the page of a plan leads to its job once its rows are in, also without scripts', async () => {
  const { ann } = await setConsoleJobs({ send: false });
  await ann.upload('p.csv', 'Identifier,TaskConfigurationId\ntask1,other\n', { jobId: 'p' });
  await shows(ann.get, '/jobs/plans/p', 'To send');
  expect((await ann.post('/jobs/plans/p/apply', { name: 'p' })).status).toBe(303);
  const { status, body } = await ann.get('/jobs/plans/p');
  expect([status, body]).toEqual([200, expect.stringContaining('<a href="/jobs/of/p">See it</a>')]);
  expect((await ann.get('/jobs/plans/q')).status).toBe(404);
});
