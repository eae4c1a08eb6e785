import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filesOnFauxqsAlone, testsOnFauxqsAlone } from '../../testing/sqs/second-sqs-exceptions.ts';

const folder = new URL('../e2e/', import.meta.url);
const files = readdirSync(folder);

test('every exception names a file or a title that is there', () => {
  const texts = files.map((file) => readFileSync(new URL(file, folder), 'utf8'));
  for (const name of Object.keys(filesOnFauxqsAlone)) expect(files).toContain(`${name}.test.ts`);
  for (const title of Object.keys(testsOnFauxqsAlone)) {
    expect(title).toMatch(/^[\w ,;:'-]+$/);
    expect(
      texts.filter((text) => text.includes(title)),
      title,
    ).not.toEqual([]);
  }
});
