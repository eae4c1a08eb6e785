/** Jobs in a browser when things go wrong: a rule stops a job and it is undone, a session ends, and hostile texts come from everywhere. */
import { expect, test } from 'vitest';
import { inBrowser } from '../../testing/console/browser.ts';
import { expectHarmless, seenText } from '../../testing/console/harmless.ts';
import { hostileText } from '../../testing/console/hostile.ts';
import { openJobs, planByPage } from '../../testing/console/job-pages.ts';
import { setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { tokens } from '../../testing/console/serve.ts';

inBrowser((browser) => {
  test('a rule stops a job whose tasks have gone, and every other is as it was before', async () => {
    const { url, stage, ids } = await setConsoleJobs({ api: { tasks: { kind: 'all' } } });
    await stage.worker.start();
    const { page, faults } = await openJobs(browser(), url, tokens.ann);
    await planByPage(
      page,
      url,
      ids(20).flatMap((id, i) => [id, `more${i}`, `gone${i}`]),
    );
    const configurations = () => ids(20).map((id) => stage.api.task(id)?.TaskConfigurationId);
    const before = configurations();
    stage.api.configure({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
    await page.locator('#apply-stages').fill('20,+20');
    await page.locator('#apply-abortWhen').fill('failed>3');
    await page.getByLabel('Undo when a rule stops it').check();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('heading', { level: 1, name: 'Job j: aborted' }).waitFor();
    expect(await seenText(page)).toMatch(/failed>3/);
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('link', { name: 'j-undo' }).click();
    await page.getByRole('heading', { level: 1, name: 'Job j-undo: done' }).waitFor();
    expect(configurations()).toEqual(before);
    expect(stage.api.stats().applied).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });

  test('what is typed into a form is not lost when the session ends before it is sent', async () => {
    const { url, run, plan, ids } = await setConsoleJobs({ send: false });
    await plan(ids(3));
    await run(['apply', 'j.jsonl', '--yes', '--detach', '--stages', '1,100%']);
    const { context, page, faults } = await openJobs(browser(), url, tokens.ann);
    await page.goto(`${url}/jobs/of/j`);
    await page.getByText('Set how it is sent').click();
    await page.locator('#set-window').fill('400');
    await page.getByRole('checkbox', { name: 'Wait for confirmation between stages' }).check();
    await page.locator('#set-reason').fill('what took long to think of');
    const other = await context.newPage();
    await other.goto(`${url}/jobs`);
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('Token').waitFor();
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByText('nothing was changed').waitFor();
    await page.getByLabel('Token').fill('not this one');
    await page.keyboard.press('Enter');
    await page.getByText('This console does not know this token.').waitFor();
    await page.getByLabel('Token').fill(tokens.ann);
    await page.keyboard.press('Enter');
    await page.getByText('What you typed is back. It was not sent.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/jobs/of/j');
    expect(await page.locator('#set-window').inputValue()).toBe('400');
    expect(
      await page.getByRole('checkbox', { name: 'Wait for confirmation between stages' }).isChecked(),
    ).toBe(true);
    expect(await page.locator('#set-reason').inputValue()).toBe('what took long to think of');
    // Refused for another reason: the same.
    await page.locator('#set-window').fill('many');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByRole('link', { name: 'Back to the page' }).click();
    expect(await page.locator('#set-window').inputValue()).toBe('many');
    await page.locator('#set-window').fill('300');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByText('The settings are changed.').waitFor();
    expect(await page.locator('#set-reason').inputValue()).toBe('');
    // Whoever is signed out for a second is refused the stream, too, and the browser's console says it.
    expect(faults.filter((fault) => !fault.includes('SSE reconnect failed with status 401'))).toEqual([]);
  });

  test('hostile texts of files, people, the API and queues run nowhere and hide nothing', async () => {
    const set = await setConsoleJobs();
    const { url, stage, ann, run, plan, ids } = set;
    const why = hostileText.slice(0, 500);
    const named = {
      status: 400,
      errorType: '<script>window.hacked=10</script>',
      body: { message: hostileText },
    };
    for (const id of ids(3)) stage.api.script(id, [named, named]);
    await stage.worker.start();
    await plan(ids(5));
    await run(['apply', 'j.jsonl', '--yes', '--detach', '--by', why, '--reason', why]);
    await stage.queue('outcomes').send([
      {
        key: '0',
        body: JSON.stringify({
          MessageId: hostileText,
          JobId: 'j',
          RequestId: 'r9',
          Outcome: 'dead-lettered',
          Reason: 'Rejected',
          Error: { name: hostileText, message: hostileText },
          Attempts: 1,
          At: '2026-11-29T00:00:00Z',
        }),
      },
    ]);
    const job = await shows(ann.get, '/jobs/of/j', /<h1>Job j: done/);
    expect(job.body).toContain('&lt;script&gt;window.hacked=10');
    await ann.post('/jobs/of/j/retry', { reason: why });
    await shows(ann.get, '/jobs/of/j', /<h1>Job j: done/);
    const cells = hostileText.replaceAll('"', '""').replaceAll('\u0000', '');
    const rows = `Identifier,Description\n"${cells}","${cells}"\ntask7,"${cells}"\ntask8,fine\n`;
    expect((await ann.upload(hostileText.slice(0, 200), rows, { jobId: 'p', reason: why })).status).toBe(303);
    await shows(ann.get, '/jobs/plans/p', 'Refused rows');
    expect((await ann.upload('x.csv', `"${cells}"\n`, { jobId: 'f', reason: why })).status).toBe(303);
    await shows(ann.get, '/jobs/plans/f', 'class="fault"');
    const live = { jobId: 'l', whereStatus: why, setDescription: 'x' };
    await ann.post('/jobs/new/live', { ...live, reason: why });
    const window = await openJobs(browser(), url, tokens.ann);
    const script = encodeURIComponent('<script>window.hacked=11</script>');
    await expectHarmless(window, url, [
      '/jobs',
      '/jobs/new',
      '/jobs/of/j',
      '/jobs/of/j/rows',
      `/jobs/of/j/rows?cause=${script}&identifier=task`,
      `/jobs/of/${script}`,
      '/jobs/plans/p',
      '/jobs/plans/f',
      '/jobs/plans/l',
      `/jobs/plans/${script}`,
    ]);
    await window.page.goto(`${url}/jobs/of/j/rows?state=failed`);
    expect(await seenText(window.page)).toContain('<script>window.hacked=1</script>');
    await window.page.goto(`${url}/jobs/of/j`);
    await window.page.getByText('right\\u{202e}to left').first().waitFor();
    const report = await ann.get('/jobs/of/j/report.csv');
    expect(report.headers['content-disposition']).toContain('attachment');
    expect(report.headers['x-content-type-options']).toBe('nosniff');
  });
});
