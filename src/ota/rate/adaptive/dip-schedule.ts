/**
 * When workers dip: at times that each computes from the wall clock alone, so that all dip together. Work and other callers often
 * come in a rhythm, such as that of whole minutes. A dip that always met them would take them for noise, so the times follow no
 * rhythm. PURE.
 *
 * Time is divided into slots, each of which has one time. Young workers use them all, the others one of each group of slots.
 */
import type { NoiseTuning } from './tuning.ts';

type Schedule = Pick<NoiseTuning, 'slot' | 'shift' | 'slotsPerDip'>;

/** The multiples of each of these numbers, modulo 1, are spread evenly and never repeat. */
const GOLDEN = 0.618_033_988_749_894_9;
const PLASTIC = 0.754_877_666_246_692_7;

/** The latest time of a dip at or before `wall`. Times are wall milliseconds. @param young whether each slot is used. */
export function lastDipTime(wall: number, young: boolean, schedule: Schedule): number {
  const current = Math.floor(wall / (1_000 * schedule.slot));
  for (let slot = current; slot > current - 2 * schedule.slotsPerDip - 1; slot--) {
    const time = timeOf(slot, schedule);
    if (time <= wall && (young || isOfGroup(slot, schedule))) return time;
  }
  throw new Error(`no dip before ${wall}: each group of slots has one`);
}

function timeOf(slot: number, { slot: seconds, shift }: Schedule): number {
  return 1_000 * (slot * seconds + shift * fraction(slot * PLASTIC));
}

/** Whether a slot is the one of its group that all workers use. */
function isOfGroup(slot: number, { slotsPerDip }: Schedule): boolean {
  const group = Math.floor(slot / slotsPerDip);
  return slot - group * slotsPerDip === Math.floor(slotsPerDip * fraction(group * GOLDEN));
}

function fraction(number: number): number {
  return number - Math.floor(number);
}
