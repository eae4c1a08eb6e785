/** A console in a process of its own, killed while it sends a job and puts letters back, and started again. */
import { expect, onTestFinished, test } from 'vitest';
import { enter, inBrowser, openWindow } from '../../testing/console/browser.ts';
import { ask, tokens } from '../../testing/console/serve.ts';
import { addLetters } from '../../testing/letters.ts';
import { startOta } from '../../testing/processes/ota.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

const rows = 300;

inBrowser((browser) => {
  test('a job and a redrive go on with the next console, and their pages come back by themselves', async () => {
    const { stage, folder, env, run, plan, ids } = await setJobs({}, { env: { RATE_LIMIT: '5' } });
    await addLetters(stage.dead, env.QUEUE_URL ?? '', 40, 'late');
    await plan(ids(rows));
    await run(['apply', 'j.jsonl', '--yes', '--detach']);
    await stage.worker.start();
    const start = async (port: string) => {
      const child = startOta(['console'], {
        cwd: folder.path,
        env: { ...env, CONSOLE_PORT: port, CONSOLE_TOKENS: `ann:operator:${tokens.ann}` },
        keepOutput: true,
      });
      onTestFinished(() => child.end());
      const url = await child.find((line) => /^The console is at (\S+)/.exec(line)?.[1]);
      return { child, url };
    };
    const first = await start('0');
    const { url } = first;
    const api = async (path: string, body?: object) => {
      const { status, body: text } = await ask(`${url}/api/v1${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${tokens.ann}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify({ reason: 'a test', ...body }) }),
      });
      expect(status, text).toBe(200);
      return JSON.parse(text);
    };
    await expect
      .poll(() => api('/dead-letters'))
      .toMatchObject({ doing: { what: 'nothing' }, look: { groups: [{ count: 40 }] } });
    const { group } = (await api('/dead-letters')).look.groups[0];
    const { change } = await api('/dead-letters/changes', { action: 'redrive', group, rate: 0.7 });
    const changed = () => api(`/dead-letters/changes/${change}`);
    await expect.poll(changed).toMatchObject({ state: 'planned', letters: 40 });
    await api(`/dead-letters/changes/${change}/confirm`, {});

    const job = await openWindow(browser());
    const redrive = await openWindow(browser());
    await enter(job.page, url, tokens.ann, '/jobs/of/j');
    await enter(redrive.page, url, tokens.ann, `/dead-letters/changes/${change}`);
    await job.page.getByRole('heading', { level: 1, name: 'Job j: running' }).waitFor();
    await redrive.page.getByText(/[1-9]\d* of 40 put back/).waitFor();
    expect(stage.api.stats().applied).toBeLessThan(rows);
    await first.child.end('SIGKILL');
    await start(new URL(url).port);

    await redrive.page.getByText('continued after a restart').waitFor();
    await job.page.getByRole('heading', { level: 1, name: 'Job j: done' }).waitFor();
    expect(await api('/jobs/j')).toMatchObject({ applied: rows, failed: 0 });
    // Letters that the killed process held are seen again after two minutes: tested with a clock of the test's.
    expect((await changed()).state).toMatch(/^(moving|ending|waiting)$/);
  });
});
