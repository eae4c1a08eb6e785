/** One worker next to other callers: some keep their rate, others adapt as it does. */
import { even, strangersLoss } from '../asks.ts';
import { family, type Setting } from '../family.ts';

/** 1 and 0 in turn. */
const onOff =
  (seconds: number) =>
  (ms: number): number =>
    Math.floor(ms / 1_000 / seconds) % 2 === 0 ? 1 : 0;

const beside = (name: string, rest: Partial<Setting>) =>
  family({
    group: 'strangers',
    name: `200/s, ${name}`,
    limit: 200,
    burst: 20,
    seconds: 200,
    share: 0.93,
    throttled: 0.05,
    ...rest,
  });

export const strangers = [
  beside('a stranger takes half', { strangers: [() => 100], asks: [strangersLoss()] }),
  ...[10, 30].map((seconds) =>
    beside(`a stranger takes half, ${seconds} s on and off`, {
      strangers: [(ms) => 100 * onOff(seconds)(ms)],
      asks: [strangersLoss()],
      heldOut: seconds === 30,
    }),
  ),
  beside('a stranger takes three quarters, 60 s on and off', {
    strangers: [(ms) => 150 * onOff(60)(ms)],
    seconds: 260,
    asks: [strangersLoss()],
  }),
  // Next to an adapting caller, a fair part is half: more may be taken only while the other has no work.
  beside('another that adapts', {
    rivals: [() => Number.POSITIVE_INFINITY],
    fromSecond: 60,
    seconds: 240,
    asks: [even()],
  }),
  beside('another that adapts, with work for 30 s, none for 30 s', {
    rivals: [(ms) => (onOff(30)(ms) === 1 ? Number.POSITIVE_INFINITY : 0)],
    fromSecond: 60,
    seconds: 240,
    heldOut: true,
  }),
];
