import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../../testing/processes/child.ts';
import { stepClock, steppable } from '../../testing/processes/clock.ts';

const HOUR_MS = 3_600_000;

/** Prints its times whenever it is asked to, and ends by itself when the channel closes. */
const program = `
process.on('message', (message) => {
  if (message !== 'tell') return;
  const plain = Date();
  console.log(JSON.stringify({
    now: Date.now(), made: new Date().getTime(), plain: Date.parse(plain), fixed: new Date(5).getTime(),
    monotonic: performance.timeOrigin + performance.now(), isDate: new Date() instanceof Date,
  }));
});
process.channel.ref();
console.log('ready');
`;

test('the wall clock of a process is stepped while it runs, and its monotonic time is not', async () => {
  const { nodeOptions, env, ipc } = steppable(HOUR_MS);
  const child = Child.startNode([...nodeOptions, '--eval', program], { env, ipc });
  onTestFinished(() => child.end());
  await child.find((line) => (line === 'ready' ? true : undefined));
  const tell = async (): Promise<Record<string, number>> => {
    const told = child.find((line) => (line.startsWith('{') ? (JSON.parse(line) as object) : undefined));
    child.process.send('tell');
    return (await told) as Record<string, number>;
  };
  const aheadOf = ({
    now = 0,
    made = 0,
    plain = 0,
    fixed,
    monotonic = 0,
    isDate,
  }: Record<string, unknown> & {
    now?: number;
    made?: number;
    plain?: number;
    monotonic?: number;
  }): unknown => ({
    hours: [now, made, plain].map((at) => Math.round((at - monotonic) / HOUR_MS)),
    fixed,
    isDate,
  });
  expect(aheadOf(await tell())).toEqual({ hours: [1, 1, 1], fixed: 5, isDate: true });
  await stepClock(child, -3 * HOUR_MS);
  expect(aheadOf(await tell())).toEqual({ hours: [-2, -2, -2], fixed: 5, isDate: true });
  child.process.disconnect();
});
