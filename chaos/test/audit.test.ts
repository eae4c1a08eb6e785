/** Compares typed commands with the job's log of changes. */
import { expect, test } from 'vitest';
import { auditFaults, type LogEntry, type Typed } from '../jobs/audit.ts';

const pause: Typed = { command: 'pause', reason: 'reason 1', exitCode: 0, said: '' };
const refused: Typed = { ...pause, exitCode: 1, said: 'Job j is paused: pause changes nothing.' };
const failed: Typed = { ...pause, exitCode: 2, said: 'The ledger cannot be reached.' };
const resume: Typed = { ...pause, command: 'resume' };
const paused: LogEntry = { what: 'pause', why: 'reason 1', detail: { from: 'running', to: 'paused' } };
const set: LogEntry = { what: 'set', why: 'reason 1', detail: { from: { window: 1 }, to: { window: 2 } } };
const settled: LogEntry = { what: 'settle', why: 'reason 1', detail: { from: 'paused', to: 'stopped' } };

test.each([
  ['a command that succeeded, and is there', [pause], [paused], 0],
  ['one that succeeded, and is not', [pause], [], 1],
  ['one that succeeded, and is there twice', [pause], [set, set], 1],
  ['one that failed, and did nothing', [failed], [], 0],
  ['one that failed, and is there all the same: its answer was lost', [failed], [paused], 0],
  ['one that says that it changed nothing, and did', [refused], [paused], 1],
  ['a resume of what was running', [resume], [], 0],
  ['a stop, and the rest that it led to', [pause], [paused, settled], 0],
] as const)('%s', (_, typed, log, faults) => {
  expect(auditFaults(typed, log)).toHaveLength(faults);
});

test('every change begins where the one before ended', () => {
  const back: LogEntry = { what: 'resume', why: null, detail: { from: 'paused', to: 'running' } };
  expect(auditFaults([], [paused, set, back, paused])).toEqual([]);
  expect(auditFaults([], [paused, paused])).toEqual([
    'the log has pause from running, and the job was paused',
  ]);
});
