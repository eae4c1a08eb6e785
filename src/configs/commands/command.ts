/** `configs`: the task configurations that tasks refer to. The API can create but not change them. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect, misuse, readAssignments, toFields } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { explainRead, type ReadOperation } from '../../message/explain-read.ts';
import { updateSchema } from '../../message/update.ts';
import type { OtaConfiguration } from '../../ota/answers.ts';
import type { OtaReader, ReadAnswer } from '../../ota/reader.ts';
import { columnsOf, nextLine } from '../../text/layout.ts';
import { jsonLine, shortPrintable } from '../../text/printable.ts';
import { type ConfigurationContent, changed } from '../change.ts';
import { changesBetween, type SettingName, settingNames } from '../settings.ts';
import {
  changesJson,
  diffJson,
  diffText,
  listJson,
  listLine,
  showJson,
  showText,
  sideBySide,
} from '../view.ts';

interface Flags {
  readonly json?: boolean;
}

interface CreateFlags extends Flags {
  readonly from?: string;
  readonly set: readonly string[];
}

const SETTINGS = `\nSettings: ${settingNames.join(', ')}. Abort criteria are written as 20%/50: abort when 20% of at least 50 devices have failed in this way.`;

export function configureConfigs(configs: Command, context: CommandContext): void {
  configs.description(
    'The task configurations: how fast the devices behind a task are updated, when a task is aborted, when a device times out. ' +
      'The API cannot change one: to change a roll-out, create another configuration and point the tasks at it (`jobs plan`).',
  );
  configs
    .command('list')
    .description('List all task configurations (ListOtaTaskConfigurations).')
    .option('--json', 'print one JSON object per configuration, one per line')
    .action((flags: Flags) => withReader(context, (reader) => list(reader, flags, context)));
  configs
    .command('show')
    .description('Show the settings of a task configuration (GetOtaTaskConfiguration).')
    .argument('<id>', 'the id of a task configuration')
    .option('--json', 'print it as one JSON object')
    .action((id: string, { json }: Flags) =>
      withReader(context, async (reader) => {
        const found = await read(reader, readId('ID', id));
        const { stdout, paint } = context;
        stdout.write(json === true ? showJson(found) : paint(showText(found, columnsOf(stdout))));
      }),
    );
  configs
    .command('diff')
    .description('Show in which settings two task configurations differ.')
    .argument('<a>', 'the id of a task configuration')
    .argument('<b>', 'the id of another one')
    .option('--json', 'print it as one JSON object')
    .action((a: string, b: string, { json }: Flags) =>
      withReader(context, async (reader) => {
        const ids = [readId('A', a), readId('B', b)] as const;
        const [from, to] = [await read(reader, ids[0]), await read(reader, ids[1])];
        const { stdout, paint } = context;
        stdout.write(json === true ? diffJson(from, to) : paint(diffText(from, to, columnsOf(stdout))));
      }),
    );
  configs
    .command('create')
    .description(
      'Create a task configuration (CreateOtaTaskConfiguration), from another one and the settings that differ from it. No task uses it yet.',
    )
    .option('--from <id>', 'start with the settings of this task configuration')
    .option(
      '--set <setting=value>',
      'a setting that differs; without a value the setting is left out',
      collect,
      [],
    )
    .option('--json', 'print it as one JSON object')
    .addHelpText('after', SETTINGS)
    .action((flags: CreateFlags) => {
      const settings = readSettings(flags.set);
      const from = flags.from === undefined ? undefined : readId('--from', flags.from);
      return withReader(context, (reader) => create(reader, from, settings, flags, context));
    });
}

/** @throws CommandError if a text is invalid for its setting: before anything is read. */
function readSettings(texts: readonly string[]): ReadonlyMap<SettingName, string> {
  const settings = new Map(
    Object.entries(toFields(readAssignments('--set', texts, settingNames))) as [SettingName, string][],
  );
  if (settings.size === 0)
    throw misuse('Give the settings of the configuration, as in --set MaximumPerMinute=100.');
  contentOf({}, settings);
  return settings;
}

/** @throws CommandError if a text is invalid for its setting. */
function contentOf(base: OtaConfiguration, settings: ReadonlyMap<SettingName, string>): ConfigurationContent {
  const made = changed(base, settings);
  if ('faults' in made) throw misuse(`--set ${shortPrintable(made.faults.join('; '), 300)}.`);
  return made.content;
}

/** @throws CommandError if the text is not the id of a configuration. */
function readId(flag: string, text: string): string {
  if (text !== '' && updateSchema.shape.TaskConfigurationId.safeParse(text).success) return text;
  throw misuse(
    `${flag} ${shortPrintable(text)}: the id of a task configuration is 1 to 64 letters and digits.`,
  );
}

async function list(reader: OtaReader, { json }: Flags, { stdout }: CommandContext): Promise<void> {
  let token: string | undefined;
  do {
    const { configurations, nextToken } = successOf(
      'ListOtaTaskConfigurations',
      await reader.configurations(token),
    );
    for (const found of configurations) stdout.write(json === true ? listJson(found) : listLine(found));
    if (nextToken !== undefined && nextToken === token)
      throw new CommandError('ListOtaTaskConfigurations answers the same page again and again.');
    token = nextToken;
  } while (token !== undefined);
}

async function create(
  reader: OtaReader,
  from: string | undefined,
  settings: ReadonlyMap<SettingName, string>,
  { json }: Flags,
  { stdout, paint, commandLine }: CommandContext,
): Promise<void> {
  const base: OtaConfiguration = from === undefined ? {} : await read(reader, from);
  const content = contentOf(base, settings);
  const changes = changesBetween(base, content, 'with-texts');
  if (from !== undefined && changes.length === 0)
    throw misuse(`--set: ${from} already has all of these settings, so it can be used itself.`);
  const id = successOf(
    'CreateOtaTaskConfiguration',
    await reader.createConfiguration({ ...content, ClientToken: randomUUID() }),
  );
  if (json === true) {
    stdout.write(jsonLine({ id, from: from ?? null, settings: changesJson(changes) }));
    return;
  }
  const lines = [
    `${shortPrintable(id)} created${from === undefined ? '' : ` from ${from}`}`,
    ...sideBySide([from ?? '-', shortPrintable(id)], changes, columnsOf(stdout)),
    nextLine(
      commandLine(
        'jobs',
        'plan',
        '--from-tasks',
        ...(from === undefined ? [] : ['--where', `TaskConfigurationId=${from}`]),
        '--set',
        `TaskConfigurationId=${id}`,
      ),
      'plans to point tasks at it',
    ),
  ];
  stdout.write(paint(`${lines.join('\n')}\n`));
}

async function read(reader: OtaReader, id: string): Promise<OtaConfiguration> {
  const answer = await reader.configuration(id);
  if (!answer.ok && answer.failure.status === 404)
    throw new CommandError(`There is no task configuration ${id}.`);
  return successOf('GetOtaTaskConfiguration', answer);
}

/** @throws CommandError that says why there is no answer. */
function successOf<T>(operation: ReadOperation, answer: ReadAnswer<T>): T {
  if (!answer.ok) throw new CommandError(`${explainRead(operation, answer.failure)}.`);
  return answer.value;
}

async function withReader(
  context: CommandContext,
  work: (reader: OtaReader) => Promise<void>,
): Promise<void> {
  const config = readConfigForAws(context.env, apiSettings);
  await interruptible(context, async (signal) => {
    const { createReader } = await import('../../ota/create-reader.ts');
    const reader = createReader(config, context, signal);
    try {
      await work(reader);
    } catch (error) {
      // The request may have arrived.
      if (signal.aborted)
        throw new CommandError(
          `Interrupted. \`${context.commandLine('configs', 'list')}\` shows what was created.`,
          exitCodes.interrupted,
        );
      throw error;
    } finally {
      await reader.close();
    }
  });
}
