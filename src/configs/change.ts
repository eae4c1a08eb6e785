/** Makes a new task configuration from another one and the settings that differ. PURE. */
import type { OtaConfiguration } from '../ota/answers.ts';
import { abortSettings, numberSettings, type SettingName } from './settings.ts';

/** The content of a configuration. */
export type ConfigurationContent = Pick<OtaConfiguration, 'Name' | 'Description' | 'PushConfig'>;

type Push = NonNullable<OtaConfiguration['PushConfig']>;
type Criterion = NonNullable<NonNullable<Push['AbortConfig']>['AbortConfigCriteriaList']>[number];

/** The rules of AWS's model for these texts. */
const textRules = {
  Name: { max: 128, pattern: /^[A-Za-z0-9-_ ]+$/, holds: 'letters, digits, spaces, _ and -' },
  Description: { max: 256, pattern: /^[0-9A-Za-z_\- ]+$/, holds: 'letters, digits, spaces, _ and -' },
} as const;

/**
 * `base` with each given setting; an empty text removes the setting.
 * @returns the content, or the faults of the texts: one sentence each, without its full stop.
 */
export function changed(
  base: ConfigurationContent,
  settings: ReadonlyMap<SettingName, string>,
): { readonly content: ConfigurationContent } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  let content: ConfigurationContent = {
    ...(base.Name !== undefined && { Name: base.Name }),
    ...(base.Description !== undefined && { Description: base.Description }),
    ...(base.PushConfig !== undefined && { PushConfig: base.PushConfig }),
  };
  for (const [name, text] of settings) {
    const next = withSetting(content, name, text);
    if (typeof next === 'string') faults.push(`${name}=${text}: ${next}`);
    else content = next;
  }
  return faults.length > 0 ? { faults } : { content };
}

/** @returns why the setting cannot be applied, if so. */
function withSetting(
  content: ConfigurationContent,
  name: SettingName,
  text: string,
): ConfigurationContent | string {
  if (name === 'Name' || name === 'Description') return withText(content, name, text);
  const numeric = numberSettings.find((known) => known.name === name);
  const { PushConfig = {} } = content;
  if (numeric === undefined)
    return withAbort(content, abortSettings[name as keyof typeof abortSettings], text);
  const { path, min, max, whole } = numeric;
  if (text === '') return { ...content, PushConfig: withValue(PushConfig, path, undefined) as Push };
  const value = numberOf(text, whole);
  if (value === undefined || value < min || value > max)
    return `must be a ${whole ? 'whole number' : 'number'} from ${min} to ${max}`;
  return { ...content, PushConfig: withValue(PushConfig, path, value) as Push };
}

function withText(
  content: ConfigurationContent,
  name: 'Name' | 'Description',
  text: string,
): ConfigurationContent | string {
  if (text === '') return { ...content, [name]: undefined };
  const { max, pattern, holds } = textRules[name];
  if (text.length > max || !pattern.test(text)) return `must be 1 to ${max} ${holds}`;
  return { ...content, [name]: text };
}

function withAbort(
  content: ConfigurationContent,
  FailureType: string,
  text: string,
): ConfigurationContent | string {
  const { PushConfig = {} } = content;
  const others = (PushConfig.AbortConfig?.AbortConfigCriteriaList ?? []).filter(
    (criterion) => criterion.FailureType !== FailureType,
  );
  const list: Criterion[] = [...others];
  if (text !== '') {
    const [, percent = '', , least] = /^([^%/]+)%(\/(\d{1,3}))?$/.exec(text) ?? [];
    const ThresholdPercentage = numberOf(percent, false);
    const MinNumberOfExecutedThings = least === undefined ? undefined : Number(least);
    const inRange =
      ThresholdPercentage !== undefined &&
      ThresholdPercentage > 0 &&
      ThresholdPercentage <= 100 &&
      (MinNumberOfExecutedThings === undefined ||
        (MinNumberOfExecutedThings >= 1 && MinNumberOfExecutedThings <= 100));
    if (!inRange)
      return 'must be a share above 0%, optionally with a least number of devices from 1 to 100, as in 20%/50';
    list.push({
      Action: 'CANCEL',
      FailureType,
      ThresholdPercentage,
      ...(MinNumberOfExecutedThings !== undefined && { MinNumberOfExecutedThings }),
    });
  }
  // Without criteria, leave out AbortConfig, too: the API might reject an empty list.
  const { AbortConfig: _, ...rest } = PushConfig;
  return {
    ...content,
    PushConfig: list.length === 0 ? rest : { ...rest, AbortConfig: { AbortConfigCriteriaList: list } },
  };
}

/** `from` with `value` at a path. Objects along the path are copied, and removed if they become empty. */
function withValue(from: object, [key = '', ...rest]: readonly string[], value: number | undefined): object {
  const before = (from as Readonly<Record<string, unknown>>)[key];
  const inner = rest.length === 0 ? value : withValue((before as object | undefined) ?? {}, rest, value);
  const isGone = inner === undefined || (typeof inner === 'object' && Object.keys(inner).length === 0);
  const { [key]: _, ...others } = from as Readonly<Record<string, unknown>>;
  return isGone ? others : { ...others, [key]: inner };
}

function numberOf(text: string, whole: boolean): number | undefined {
  if (!(whole ? /^\d{1,10}$/ : /^\d{1,4}(?:\.\d{1,6})?$/).test(text)) return undefined;
  return Number(text);
}
