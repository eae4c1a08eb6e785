/** The controller with one mechanism at a time switched off, by its tuning: what each is worth. */
import { type AdaptiveRateOptions, defaultTuning } from '../../src/ota/rate/adaptive-rate.ts';

export interface Ablation {
  /** What is switched off. */
  readonly name: string;
  readonly tuning: NonNullable<AdaptiveRateOptions['tuning']>;
}

const { boost, cut, hold, overload, recovery } = defaultTuning;

export const ablations: readonly Ablation[] = [
  {
    name: 'no boost',
    tuning: { ...defaultTuning, boost: { ...boost, minSeconds: 1e9, maxSeconds: 1e9 } },
  },
  { name: 'no hold', tuning: { ...defaultTuning, hold: { ...hold, calls: 0 } } },
  {
    name: 'no fast recovery',
    tuning: { ...defaultTuning, recovery: { ...recovery, perCall: 0, most: 0, least: 0 } },
  },
  { name: 'no deep cut', tuning: { ...defaultTuning, overload: { ...overload, share: 1 } } },
  { name: 'the same cut at all rates', tuning: { ...defaultTuning, cut: { ...cut, power: 0 } } },
];
