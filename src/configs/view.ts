/** Task configurations for people and for scripts. Nothing in the texts can control a terminal. PURE. */
import type { OtaConfiguration } from '../ota/answers.ts';
import { hang, table, widthOf } from '../text/layout.ts';
import { jsonLine, printable } from '../text/printable.ts';
import { changesBetween, type SettingChange, settingsOf } from './settings.ts';

/** Shown for a setting that a configuration does not have. */
const NOTHING = '-';

const idOf = ({ TaskConfigurationId = '' }: OtaConfiguration): string => printable(TaskConfigurationId);
const timeOf = ({ CreatedAt }: OtaConfiguration): string | undefined => CreatedAt?.toISOString();

/** One line of the list. */
export function listLine(configuration: OtaConfiguration): string {
  const time = timeOf(configuration) ?? NOTHING;
  return `${idOf(configuration).padEnd(24)}  ${time.padEnd(24)}  ${printable(configuration.Name ?? NOTHING)}\n`;
}

export function listJson(configuration: OtaConfiguration): string {
  const { TaskConfigurationId: id, Name: name = null } = configuration;
  return jsonLine({ id, name, createdAt: timeOf(configuration) ?? null });
}

/** Every setting, one per line. @param columns the terminal's width; undefined without a terminal. */
export function showText(configuration: OtaConfiguration, columns?: number): string {
  const width = widthOf(columns);
  const rows = [...settingsOf(configuration), { name: 'CreatedAt', value: timeOf(configuration) }].map(
    ({ name, value }) => hang(`  ${printable(name).padEnd(28)}`, printable(value ?? NOTHING), width),
  );
  return `${[idOf(configuration), ...rows].join('\n')}\n`;
}

export function showJson(configuration: OtaConfiguration): string {
  const { TaskConfigurationId: id, Name: name = null, Description: description = null } = configuration;
  const { PushConfig: pushConfig = null } = configuration;
  return jsonLine({ id, name, description, createdAt: timeOf(configuration) ?? null, pushConfig });
}

/** The settings that differ, side by side under the two names; each line begins with `indent`. */
export function sideBySide(
  [from, to]: readonly [string, string],
  changes: readonly SettingChange[],
  columns?: number,
  indent = '  ',
): string[] {
  const rows = changes.map((change) => [
    printable(change.setting),
    printable(change.from ?? NOTHING),
    printable(change.to ?? NOTHING),
  ]);
  const room = columns === undefined ? undefined : Math.max(20, columns - indent.length);
  return table([['', printable(from), printable(to)], ...rows], room).map((line) => indent + line);
}

/** How `to` differs from `from`. */
export function diffText(from: OtaConfiguration, to: OtaConfiguration, columns?: number): string {
  const changes = changesBetween(from, to, 'with-texts');
  if (changes.length === 0) return `${idOf(from)} and ${idOf(to)} have the same settings.\n`;
  return `${sideBySide([idOf(from), idOf(to)], changes, columns, '').join('\n')}\n`;
}

export function diffJson(from: OtaConfiguration, to: OtaConfiguration): string {
  const settings = changesJson(changesBetween(from, to, 'with-texts'));
  return jsonLine({
    from: from.TaskConfigurationId,
    to: to.TaskConfigurationId,
    same: settings.length === 0,
    settings,
  });
}

/** For scripts: null for a setting that a configuration does not have. */
export function changesJson(changes: readonly SettingChange[]): readonly object[] {
  return changes.map(({ setting, from, to }) => ({ setting, from: from ?? null, to: to ?? null }));
}
