/** A change of a command, and the log of it. */
import { expect, test } from 'vitest';
import { AuditError, type AuditEvent, type OpenAudit } from '../../src/dead-letters/changes/audit.ts';
import { makeChange } from '../../src/dead-letters/commands/change.ts';
import { exitCodes } from '../../src/errors.ts';
import { fakeSurroundings } from '../../testing/letters.ts';
import { fakeContext } from '../../testing/stages/context.ts';

/** A command's change with a log that cannot be written from an event on. @param done letters that it changes. */
async function changed(full: AuditEvent['event'] | 'close', done: number) {
  const written: string[] = [];
  const fail = (): never => {
    throw new AuditError('/state/dead-letters.log', Object.assign(new Error('no'), { code: 'ENOSPC' }));
  };
  const openLog: OpenAudit = async () => ({
    path: '/state/dead-letters.log',
    write: async ({ event }) => (event === full ? fail() : void written.push(event)),
    close: async () => (full === 'close' && written.includes('end') ? fail() : undefined),
  });
  const printed: number[] = [];
  const context = fakeContext();
  await makeChange(
    { context, openLog, surroundings: fakeSurroundings() },
    { where: [], all: true, yes: true, reason: 'x' },
    {
      action: 'purge',
      asked: {},
      plan: () => expect.unreachable(),
      carryOut: async () => ({ chosen: new Set<string>(), done }),
      print: (report) => printed.push(report.done),
      conclude: () => {},
      resultOf: ({ done }) => ({ done }),
    },
  );
  return { printed, exitCode: context.exitCode, stderr: context.output.stderr };
}

test.each(['end', 'close'] as const)(
  'a change whose end cannot be logged (%s) is reported all the same, and says so',
  async (full) => {
    expect(await changed(full, 7)).toEqual({
      printed: [7],
      exitCode: exitCodes.failed,
      stderr:
        'How it ended is not in the log of changes: the log of changes /state/dead-letters.log cannot be written: the disk is full (ENOSPC).\n',
    });
  },
);

test('a change that cannot be logged before it is begun is not', async () => {
  await expect(changed('begin', 7)).rejects.toThrow(AuditError);
});
