import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { LogDestination } from '../../src/observe/log-destination.ts';

/** A log whose stream fails, or does not take anything, for as long as a test says. */
function setUp() {
  const written: string[] = [];
  const reported: number[] = [];
  const state = { fails: false, stalled: undefined as (() => void) | undefined, stalls: false };
  const stream = new Writable({
    autoDestroy: false,
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (state.fails) done(new Error('ENOSPC'));
      else if (state.stalls) state.stalled = done;
      else {
        written.push(line);
        done();
      }
    },
  }).on('error', () => {});
  const destination = new LogDestination(stream, (lost) => reported.push(lost));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { destination, stream, state, written, reported, turn };
}

test('lines that a reader does not take wait up to a limit, and are counted beyond it', async () => {
  const { destination, stream, state, reported, turn } = setUp();
  state.stalls = true;
  const line = 'x'.repeat(100_000);
  for (let i = 0; i < 1_000; i++) destination.write(line);
  expect(stream.writableLength).toBeLessThan(5_000_000);
  const taken = Math.round(stream.writableLength / line.length);
  expect(reported).toEqual([]);
  state.stalls = false;
  state.stalled?.();
  await turn();
  expect(reported).toEqual([1_000 - taken]);
});
