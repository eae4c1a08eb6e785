/** How to use a sandbox from another shell. */
import { counted } from '../../text/numbers.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { Place } from './place.ts';
import { SAMPLE_ROWS } from './sample.ts';

interface Facts {
  readonly variables: Readonly<Record<string, string>>;
  /** Its files, or why they could not be created, as a phrase. */
  readonly place: Place | { readonly why: string };
  /** The URL of the worker's health page; undefined without a worker. */
  readonly healthUrl: string | undefined;
  readonly logsToFile: boolean;
  /** How to open the console, if there is one. */
  readonly console: readonly string[];
  readonly apiUrl: string;
  /** For changing the simulated API over HTTP. */
  readonly token: string;
}

/** Writes the file of variables. @returns the text, ending in a line feed. Every command in it can be pasted. */
export function directions(facts: Facts, commandLine: CommandLine): string {
  const { healthUrl, apiUrl, token } = facts;
  return [
    ...facts.console,
    `The sandbox is running: an SQS emulator, a simulated API${healthUrl === undefined ? '' : ' and a worker'}.`,
    ...(healthUrl === undefined ? [] : [`  health     ${healthUrl}/readyz`]),
    ...use(facts, commandLine),
    '',
    'To inject faults:',
    '',
    `  curl -X PUT -H 'authorization: Bearer ${token}' -H 'content-type: application/json' \\`,
    `    -d '{"faults":{"internalError":0.2}}' ${apiUrl}/_sandbox/settings`,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

function use({ place, variables, logsToFile }: Facts, commandLine: CommandLine): string[] {
  if ('why' in place)
    return [
      '',
      `Its variables cannot be written to a file: ${place.why}. In another shell:`,
      '',
      ...Object.entries(variables).map(([name, value]) => `  export ${name}=${value}`),
    ];
  const { logFile, sampleFile } = place;
  const envFile = place.writeVariables(variables);
  return [
    `  variables  ${envFile}, for --env-file`,
    ...(logsToFile ? [`  log        ${logFile}`] : []),
    '',
    `Plan a job of ${counted(SAMPLE_ROWS, 'update')}, in another shell in this folder. Each command says what to type next:`,
    '',
    `  ${commandLine('--env-file', envFile, 'jobs', 'plan', sampleFile)}`,
  ];
}
