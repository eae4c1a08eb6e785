/** The pages of jobs as a person uses them, in a browser. */
import type { Browser, Page } from 'playwright-core';
import { enter, openWindow } from './browser.ts';

/** A window of a signed-in user, at the list of jobs. */
export async function openJobs(browser: Browser, url: string, token: string, looks = {}) {
  const window = await openWindow(browser, looks);
  await enter(window.page, url, token, '/jobs');
  await window.page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
  return window;
}

/** Presses one of the buttons that steer a job. */
export async function act(page: Page, name: string): Promise<void> {
  await page.locator('#steer-reason').fill('a test');
  await page.getByRole('button', { name, exact: true }).click();
}

/** Uploads a file as job `j`, and opens the page that applies its plan, filled in except for the settings. */
export async function planByPage(
  page: Page,
  url: string,
  identifiers: readonly string[],
  timeout?: number,
): Promise<void> {
  await page.goto(`${url}/jobs/new`);
  await page.locator('#file-job').fill('j');
  await page.locator('#file-reason').fill('a test');
  const rows = identifiers.map((id) => `${id},new\n`).join('');
  await page.locator('#file').setInputFiles({
    name: 'rows.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`Identifier,TaskConfigurationId\n${rows}`),
  });
  await page.getByRole('button', { name: 'Make the plan' }).first().click();
  await fillPlan(page, 'j', timeout);
}

/** Waits until a plan's page has the form to apply it, and fills it in. */
export async function fillPlan(page: Page, job: string, timeout = 60_000): Promise<void> {
  await page.locator('#apply-name').fill(job, { timeout });
  await page.locator('#apply-reason').fill('a test');
}
