/** Dead letters in a browser: 700 in three causes, one of them put back after its canaries until all have ended; two at once. */
import { expect, test } from 'vitest';
import {
  accessibilityFaults,
  docPicture,
  enter,
  inBrowser,
  openWindow,
} from '../../testing/console/browser.ts';
import { seenText } from '../../testing/console/harmless.ts';
import { lettersSections, setLetters } from '../../testing/console/letters.ts';
import { withOtherPages } from '../../testing/console/other-pages.ts';
import { ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

inBrowser((browser) => {
  test('one of three causes is put back, and followed by two until its letters have ended; a viewer changes nothing', async () => {
    const { stage, addLetters, openDesk } = await setLetters();
    await stage.worker.start();
    await addLetters(400, 'gone');
    await addLetters(200, 'fixed', { name: 'ConflictException', status: 409, message: 'the task is busy' });
    await addLetters(100, 'more', {
      name: 'ValidationException',
      status: 400,
      message: 'no such configuration',
    });
    const desk = openDesk();
    const url = await serveConsole({ sections: withOtherPages(lettersSections(desk, {})) });
    const ann = await openWindow(browser());
    const vic = await openWindow(browser());
    await enter(ann.page, url, tokens.ann, '/dead-letters');
    const row = (name: string) => ann.page.getByRole('row').filter({ hasText: name });
    for (const [name, count] of [
      ['ResourceNotFoundException', '400'],
      ['ConflictException', '200'],
      ['ValidationException', '100'],
    ] as const)
      await row(name).getByRole('cell', { name: count, exact: true }).waitFor();
    await docPicture(ann.page, 'dead-letters', 490);
    await ann.page.getByRole('link', { name: /ConflictException/ }).click();
    await ann.page.getByLabel('Put back first').fill('10');
    await ann.page.getByLabel('Reason, for the log of changes').fill('the tasks are free again');
    await ann.page.getByRole('button', { name: 'Show what it would do' }).click();
    await ann.page.getByRole('button', { name: 'Put back 200 letters' }).waitFor();
    expect(stage.settled()).toHaveLength(0);

    const path = new URL(ann.page.url()).pathname;
    await enter(vic.page, url, tokens.vic, path);
    expect(await vic.page.locator('form[action^="/dead-letters"]').count()).toBe(0);
    const cookie = await signIn(url, tokens.vic);
    const formToken = await formTokenOf(`${url}/dead-letters`, cookie);
    const refused = await ask(`${url}${path}/confirm`, {
      headers: { cookie },
      form: { formToken, reason: 'x' },
    });
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('vic is a viewer');

    await ann.page.getByRole('button', { name: 'Put back 200 letters' }).click();
    await vic.page.reload();
    for (const { page } of [ann, vic])
      await expect.poll(() => seenText(page)).toContain('200 letters put back; none came back.');
    expect(stage.settled('acknowledge')).toHaveLength(200);
    expect(await stage.deadLetters()).toHaveLength(500);
    expect(await accessibilityFaults(ann.page)).toEqual([]);
    await ann.page.getByRole('link', { name: 'All dead letters' }).click();
    await ann.page.getByText('the tasks are free again').waitFor();
    expect([...ann.faults, ...vic.faults]).toEqual([]);
  });
});
