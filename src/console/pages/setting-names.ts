/** Replaces flags in sentences about settings of jobs: the reader of a page has filled in a field, not a flag. PURE. */

/** The form's label for a setting, by its name in the API. */
export const settingLabels = {
  canary: 'Canary',
  stages: 'Stages',
  ramp: 'Ramp',
  soak: 'Soak',
  verifyWithin: 'Verify within',
  abortWhen: 'Stop when',
  window: 'Window',
  rate: 'Rate',
  priority: 'Priority',
  startAt: 'Start at',
  between: 'Between',
  tz: 'Time zone',
  deadline: 'Deadline',
  confirmEach: 'Wait for confirmation between stages',
  verifyEach: 'Look at the devices between stages',
  undoOnAbort: 'Undo when a rule stops it',
  reportTo: 'File the report',
  refresh: 'Read every task first',
  job: 'Name of the job',
} as const;
type Setting = keyof typeof settingLabels;

/** The sentence with API fields instead of flags. */
export function inFields(text: string): string {
  return withNames(text, (setting) => setting);
}

/** The sentence with form labels instead of flags. */
export function inLabels(text: string): string {
  return withNames(text, (setting) => `"${settingLabels[setting]}"`);
}

/** Commands stay as they are. */
const COMMAND_OR_FLAG = /`[^`]*`|--([a-z]+(?:-[a-z]+)*)(?![\w-])/g;

function withNames(text: string, nameOf: (setting: Setting) => string): string {
  return text.replace(COMMAND_OR_FLAG, (found, flag: string | undefined) => {
    const name = flag?.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) ?? '';
    return Object.hasOwn(settingLabels, name) ? nameOf(name as Setting) : found;
  });
}
