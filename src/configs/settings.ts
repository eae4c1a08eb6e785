/** The settings of a task configuration, each with one name and one text: to be shown, compared and set. PURE. */
import type { OtaConfiguration } from '../ota/answers.ts';

/** A number of the API's model, by its path below `PushConfig`. */
interface NumberSetting {
  readonly name: string;
  readonly path: readonly string[];
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const rollout = ['RolloutConfig', 'ExponentialRolloutRate'];
const MAX_INTEGER = 2_147_483_647;

export const numberSettings = [
  {
    name: 'MaximumPerMinute',
    path: ['RolloutConfig', 'MaximumPerMinute'],
    min: 1,
    max: MAX_INTEGER,
    whole: true,
  },
  { name: 'BaseRatePerMinute', path: [...rollout, 'BaseRatePerMinute'], min: 1, max: 100, whole: true },
  { name: 'IncrementFactor', path: [...rollout, 'IncrementFactor'], min: 1.1, max: 5, whole: false },
  {
    name: 'NumberOfNotifiedThings',
    path: [...rollout, 'RateIncreaseCriteria', 'numberOfNotifiedThings'],
    min: 1,
    max: 100,
    whole: true,
  },
  {
    name: 'NumberOfSucceededThings',
    path: [...rollout, 'RateIncreaseCriteria', 'numberOfSucceededThings'],
    min: 1,
    max: 100,
    whole: true,
  },
  {
    name: 'InProgressTimeoutInMinutes',
    path: ['TimeoutConfig', 'InProgressTimeoutInMinutes'],
    min: 1,
    max: 10_080,
    whole: true,
  },
] as const satisfies readonly NumberSetting[];

/** The abort criteria, keyed by the kind of failure that they count. */
export const abortSettings = {
  AbortOnFailed: 'FAILED',
  AbortOnRejected: 'REJECTED',
  AbortOnTimedOut: 'TIMED_OUT',
  AbortOnAny: 'ALL',
} as const;

/** Every setting, in the order of display. */
export const settingNames = [
  'Name',
  'Description',
  ...numberSettings.map(({ name }) => name),
  ...(Object.keys(abortSettings) as (keyof typeof abortSettings)[]),
] as const;
export type SettingName = (typeof settingNames)[number];

/** The value of one setting; undefined: not set. */
export interface SettingValue {
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * All settings of a configuration, in order. An abort criterion is `20%/50`: abort when 20% of at least 50 devices have
 * failed. An unknown kind of failure gets a line of its own. The texts are untrusted.
 */
export function settingsOf(configuration: OtaConfiguration): readonly SettingValue[] {
  const { Name, Description, PushConfig } = configuration;
  const criteria = PushConfig?.AbortConfig?.AbortConfigCriteriaList ?? [];
  const aborts = new Map<string, string>();
  for (const { FailureType = '', ThresholdPercentage = '?', MinNumberOfExecutedThings } of criteria) {
    const least = MinNumberOfExecutedThings === undefined ? '' : `/${MinNumberOfExecutedThings}`;
    const before = aborts.get(FailureType);
    aborts.set(FailureType, `${before === undefined ? '' : `${before} or `}${ThresholdPercentage}%${least}`);
  }
  const known = Object.entries(abortSettings);
  const types: readonly string[] = Object.values(abortSettings);
  const others = [...aborts].filter(([type]) => !types.includes(type));
  return [
    { name: 'Name', value: Name },
    { name: 'Description', value: Description },
    ...numberSettings.map(({ name, path }) => ({ name, value: numberAt(PushConfig, path) })),
    ...known.map(([name, type]) => ({ name, value: aborts.get(type) })),
    ...others.map(([type, value]) => ({ name: `AbortOn:${type}`, value })),
  ];
}

function numberAt(from: unknown, path: readonly string[]): string | undefined {
  let value: unknown = from;
  for (const key of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[key];
  return typeof value === 'number' ? String(value) : undefined;
}

/** A setting that differs between two configurations. */
export interface SettingChange {
  readonly setting: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** How `to` differs from `from`. Name and description are not settings of a roll-out, and are left out unless asked for. */
export function changesBetween(
  from: OtaConfiguration,
  to: OtaConfiguration,
  texts: 'with-texts' | 'without-texts',
): readonly SettingChange[] {
  const before = new Map(settingsOf(from).map(({ name, value }) => [name, value]));
  const after = new Map(settingsOf(to).map(({ name, value }) => [name, value]));
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((name) => texts === 'with-texts' || (name !== 'Name' && name !== 'Description'))
    .map((setting) => ({ setting, from: before.get(setting), to: after.get(setting) }))
    .filter((change) => change.from !== change.to);
}
