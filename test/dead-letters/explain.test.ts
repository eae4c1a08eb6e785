import { expect, test } from 'vitest';
import { AuditError } from '../../src/dead-letters/changes/audit.ts';
import { configureDeadLetters } from '../../src/dead-letters/commands/index.ts';
import { explain } from '../../src/dead-letters/desk/explain.ts';
import { exitCodes } from '../../src/errors.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

test.each([['list'], ['redrive', '--all'], ['purge', '--all']])(
  '%s refuses one queue under two names before it asks for anything',
  async (...args) => {
    const env = {
      AWS_REGION: 'eu-west-1',
      QUEUE_URL: 'http://127.0.0.1:1/000000000000/updates',
      DEAD_LETTER_QUEUE_URL: 'http://localhost:1/000000000000/updates',
    };
    const { exitCode, error } = await runConfigured(
      configureDeadLetters,
      'dead-letters',
      args,
      fakeContext({ env }),
    );
    expect(error).toBe('DEAD_LETTER_QUEUE_URL is the same queue as QUEUE_URL: use a different queue.');
    expect(exitCode).toBe(exitCodes.misuse);
  },
);

test('a log of changes that cannot be written is told with its path and the cause', () => {
  const error = new AuditError('/state/dead-letters.log', Object.assign(new Error('no'), { code: 'ENOSPC' }));
  expect(explain(error, { queueUrl: '', deadLetterQueueUrl: '', stateDir: '/state' })).toBe(
    'the log of changes /state/dead-letters.log cannot be written: the disk is full (ENOSPC). ' +
      'A change that cannot be logged is not made; STATE_DIR is the folder of the log',
  );
});
