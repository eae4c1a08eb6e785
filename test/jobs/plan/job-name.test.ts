import { expect, test } from 'vitest';
import { jobIdSchema } from '../../../src/jobs/plan/format.ts';
import { isJobName, readJobName } from '../../../src/jobs/plan/job-name.ts';

test.each(['.', '..', '-', '--', '-a'])(
  '%s names no new job, and one that is there is still read',
  (name) => {
    expect(isJobName(name)).toBe(false);
    expect(() => readJobName(name)).toThrow(
      `--job ${name}: may hold 1 to 128 letters, digits and _ . : -, not beginning with -, and not . or .. alone`,
    );
    expect(jobIdSchema.safeParse(name).success).toBe(true);
  },
);

test.each(['...', '.a', '..b', 'a.', 'a-', '2026-11-fleet-b7', 'x'.repeat(128)])('%s names one', (name) => {
  expect(readJobName(name)).toBe(name);
});

test.each(['', 'a b', 'x'.repeat(129), 'a\n'])('%j names none', (name) => {
  expect(isJobName(name)).toBe(false);
});
