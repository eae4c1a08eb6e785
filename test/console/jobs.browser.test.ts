/** Jobs in a browser: planned from an uploaded file, applied in stages, paused, set, resumed and followed to the end; two at once. */
import { expect, test } from 'vitest';
import {
  accessibilityFaults,
  docPicture,
  inBrowser,
  overflow,
  picture,
  widths,
} from '../../testing/console/browser.ts';
import { act, fillPlan, openJobs, planByPage } from '../../testing/console/job-pages.ts';
import { setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { tokens } from '../../testing/console/serve.ts';

inBrowser((browser) => {
  test('a job of 5,000 rows: upload, plan, stages, pause, set, resume, the end, and its undo', async () => {
    const { url, stage, ids } = await setConsoleJobs({ rate: '500', holdAnswers: true });
    // The job still runs when a page says so, and when it is to pause: its last row waits for an answer, and then
    // for another call.
    stage.api.script('task4999', [{ status: 500, errorType: 'InternalServerException', delayMs: 1 }]);
    const before = stage.api.task('task4999')?.TaskConfigurationId;
    await stage.worker.start();
    const { page, faults } = await openJobs(browser(), url, tokens.ann);
    await planByPage(page, url, ids(5_000));
    await picture(page, 'plan');
    await page.locator('#apply-stages').fill('100,100%');
    await page.getByLabel('Wait for confirmation between stages').check();
    await page.getByRole('button', { name: 'Apply' }).click();
    const state = (name: string) => page.getByRole('heading', { level: 1, name: `Job j: ${name}` }).waitFor();
    await state('paused');
    expect(stage.api.stats().applied).toBe(100);
    await page.reload();
    await page.getByText('Set how it is sent').click();
    await page.locator('#set-window').fill('400');
    await page.locator('#set-reason').fill('a test');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByText('The settings are changed.').waitFor();
    await act(page, 'Resume');
    await page.getByText('The job continues.').waitFor();
    await act(page, 'Pause');
    await state('paused');
    expect(stage.api.stats().applied).toBeLessThan(5_000);
    await page.reload();
    await docPicture(page, 'job', 760);
    await act(page, 'Resume');
    stage.letAnswer();
    await state('done');
    expect(stage.api.stats().applied).toBe(5_000);
    await page.reload();
    await page.getByText('Undo', { exact: true }).click();
    await page.locator('#undo-reason').fill('a test');
    await page.getByRole('button', { name: 'Plan the undo' }).click();
    await fillPlan(page, 'j-undo');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('heading', { level: 1, name: 'Job j-undo: done' }).waitFor();
    await page.goto(`${url}/jobs`);
    await page.getByRole('link', { name: 'j-undo' }).waitFor();
    await docPicture(page, 'jobs', 400);
    expect(stage.api.task('task4999')?.TaskConfigurationId).toBe(before);
    expect(stage.api.task('task0')?.TaskConfigurationId).not.toBe('new');
    expect(faults).toEqual([]);
  });

  test('two people: one pauses, both resume, and one of them is told; a viewer sees no forms', async () => {
    const { url, ids } = await setConsoleJobs({ send: false });
    const ann = await openJobs(browser(), url, tokens.ann);
    const bob = await openJobs(browser(), url, tokens.ann);
    const vic = await openJobs(browser(), url, tokens.vic);
    await planByPage(ann.page, url, ids(20));
    await ann.page.getByRole('button', { name: 'Apply' }).click();
    await ann.page.getByText('The job is in the ledger.').waitFor();
    await act(ann.page, 'Pause');
    await ann.page.getByText('The job is paused.').waitFor();
    for (const { page } of [bob, vic]) {
      await page.goto(`${url}/jobs/of/j`);
      await page.getByRole('heading', { level: 1, name: 'Job j: paused' }).waitFor();
    }
    await act(ann.page, 'Resume');
    await ann.page.getByText('The job continues.').waitFor();
    await bob.page.getByRole('heading', { level: 1, name: 'Job j: running' }).waitFor();
    await act(bob.page, 'Resume');
    await bob.page.getByText('resume changes nothing').waitFor();
    expect(await vic.page.locator('form[action^="/jobs"]').count()).toBe(0);
  });

  test.each(
    widths.flatMap((width) => [
      { width, scheme: 'light' as const },
      { width, scheme: 'dark' as const },
    ]),
  )('pages are for everybody at $width pixels, $scheme', async (looks) => {
    const { url, ann, run, plan: planJob, ids } = await setConsoleJobs({ send: false });
    await planJob(ids(120));
    await run([
      'apply',
      'j.jsonl',
      '--yes',
      '--detach',
      '--stages',
      '10%,100%',
      '--abort-when',
      'failed>2%/200',
    ]);
    const { page, faults } = await openJobs(browser(), url, tokens.ann, looks);
    const rows = 'Identifier,TaskConfigurationId\ntask1,new\nno good,new\ntask2,new\n';
    await ann.upload('rows.csv', rows, { jobId: 'p', refresh: 'yes' });
    await shows(ann.get, '/jobs/plans/p', 'Refused rows');
    for (const path of ['/jobs', '/jobs/new', '/jobs/of/j', '/jobs/of/j/rows', '/jobs/plans/p']) {
      await page.goto(`${url}${path}`);
      await page.locator('h1').waitFor();
      for (const details of await page.locator('details').all()) await details.locator('summary').click();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await overflow(page)).toEqual([]);
      await picture(page, `${path.slice(1).replaceAll('/', '-')}-${looks.width}-${looks.scheme}`);
    }
    expect(faults).toEqual([]);
  });
});
