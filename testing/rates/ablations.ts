/** The controller with one mechanism at a time switched off through its tuning, to show the value of each. */
import { defaultTuning, type Tuning } from '../../src/ota/rate/adaptive/tuning.ts';

export interface Ablation {
  /** What is switched off. */
  readonly name: string;
  readonly tuning: Tuning;
}

const { boost, comeback, cut, growth, noise, overload, ramp, spent, target } = defaultTuning;
const NEVER = Number.POSITIVE_INFINITY;

const without = (name: string, tuning: Partial<Tuning>): Ablation => ({
  name,
  tuning: { ...defaultTuning, ...tuning },
});

export const ablations: readonly Ablation[] = [
  without('no waits while a limit is spent', { spent: { ...spent, run: NEVER } }),
  without('no dips, so that noise is not learnt', { noise: { ...noise, tested: false } }),
  without('dips in a rhythm', { noise: { ...noise, slot: 5, shift: 0 } }),
  without('a dip with few calls is not continued', { noise: { ...noise, continued: 0 } }),
  without('noise is not forgotten', { noise: { ...noise, memory: NEVER } }),
  without('no deep cut', { overload: { ...overload, share: 1 } }),
  without('no ramp', { ramp: { ...ramp, roundTripMs: 0 } }),
  without('no growth after the ramp', { growth: { ...growth, perSecond: 0 } }),
  without('no attempts to come back', { comeback: { ...comeback, after: NEVER } }),
  without('failed attempts show nothing', { comeback: { ...comeback, takenBack: NEVER } }),
  without('no boost', { boost: { ...boost, least: NEVER } }),
  without('the same target at all rates', { target: { ...target, perSecond: 0, power: 0 } }),
  without('no least number of throttled calls per second', { target: { ...target, perSecond: 0 } }),
  without('the same cut at all rates', { cut: { ...cut, power: 0 } }),
  without('cuts as often as calls are throttled', { cut: { ...cut, perSecond: NEVER } }),
  without('cuts may take everything', { cut: { ...cut, leaves: 0 } }),
];
