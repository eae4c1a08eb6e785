/**
 * Commander's command with this program's conventions: a wrong word gives one sentence, and help lists what the user can
 * type.
 */
import { styleText } from 'node:util';
import { type Argument, Command, InvalidArgumentError, type Option } from 'commander';
import { misuse } from '../errors.ts';
import { lazily } from '../text/lazily.ts';
import { didYouMean } from '../text/nearest.ts';
import type { CommandContext } from './context.ts';
import { examplesText } from './examples.ts';

/** A command; all commands inside it are of this class, too. */
export class ProgramCommand extends Command {
  readonly #context: Pick<CommandContext, 'commandLine'>;

  constructor(name: string | undefined, context: Pick<CommandContext, 'commandLine'>) {
    super(name);
    this.#context = context;
    this.showSuggestionAfterError(false).configureHelp({
      optionDescription: inWords,
      argumentDescription: inWords,
      styleTitle: bold,
    });
    this.addHelpText('after', () => examplesText(this.path(), context.commandLine));
  }

  override createCommand(name?: string): ProgramCommand {
    return new ProgramCommand(name, this.#context);
  }

  override addOption(option: Option): this {
    if (option.required) this.#refuseForgotten(option);
    return super.addOption(option);
  }

  override addArgument(argument: Argument): this {
    this.#refuseForgotten(argument);
    return super.addArgument(argument);
  }

  /**
   * An empty value comes from a shell variable that is not set. A value that is the name of an option was forgotten:
   * without this check, `--refused --json` would name a file.
   */
  #refuseForgotten(target: Option | Argument): void {
    const parse = target.parseArg;
    target.argParser((value: string, previous: unknown) => {
      if (value === '') throw new InvalidArgumentError('It is empty.');
      if (this.#optionNames().includes(value)) throw new InvalidArgumentError('The value is missing.');
      return parse === undefined ? value : parse(value, previous);
    });
  }

  /** The names of the commands up to this one, without the program's: `['jobs', 'plan']`. */
  path(): string[] {
    return this.parent instanceof ProgramCommand ? [...this.parent.path(), this.name()] : [];
  }

  /** @throws CommandError always: the fault, the closest valid name, and where all valid names are listed. */
  override error(message: string): never {
    const all = this.#context.commandLine(...this.path(), '--help');
    throw misuse(`${this.#explain(message.replace(/^error: /, ''))} See \`${all}\`.`);
  }

  /** Commander's message as a sentence. */
  #explain(message: string): string {
    const [, kind, wrong = ''] = /^unknown (option|command) '(.*)'$/s.exec(message) ?? [];
    if (kind === 'option') {
      const name = wrong.replace(/=.*/s, '');
      return `Unknown option ${name}.${didYouMean(name, this.#optionNames())}`;
    }
    if (kind === 'command') return `Unknown command "${wrong}".${this.#nearCommand(wrong)}`;
    const [, missing] = /^missing required argument '(.*)'$/.exec(message) ?? [];
    if (missing !== undefined) return `The argument <${missing}> is missing.`;
    const [, flags] = /^option '(.*)' argument missing$/.exec(message) ?? [];
    if (flags !== undefined) return `${flags}: the value is missing.`;
    const invalid =
      /^option '(?<name>.*?)' argument '(?<value>.*)' is invalid\. (?<why>.*)$/s.exec(message) ??
      /^command-argument value '(?<value>.*)' is invalid for argument '(?<name>.*?)'\. (?<why>.*)$/s.exec(
        message,
      );
    return invalid?.groups === undefined ? sentence(message) : invalidSentence(invalid.groups);
  }

  /** Options of the enclosing commands are valid everywhere. */
  #optionNames(): string[] {
    const own = this.createHelp()
      .visibleOptions(this)
      .flatMap(({ long }) => long ?? []);
    return this.parent instanceof ProgramCommand ? [...own, ...this.parent.#optionNames()] : own;
  }

  /** Also searches one level deeper, for a user who typed only the last name: `apply` for `jobs apply`. */
  #nearCommand(wrong: string): string {
    for (const group of this.commands)
      if (group.commands.some((inner) => inner.name() === wrong))
        return ` Did you mean "${group.name()} ${wrong}"?`;
    const names = this.createHelp().visibleCommands(this);
    return didYouMean(
      wrong,
      names.map((command) => command.name()),
    );
  }
}

/** Commander removes the style if there are no colours. */
function bold(text: string): string {
  return styleText('bold', text, { validateStream: false });
}

/** `update, outcome or dead-letter`. */
const either = lazily(() => new Intl.ListFormat('en-GB', { type: 'disjunction' }));

/** `--limit x: it must be a whole number from 1.` */
function invalidSentence({ name = '', value = '', why = '' }: Record<string, string | undefined>): string {
  const flag = /--[\w-]+/.exec(name)?.[0] ?? `<${name}>`;
  const choices = /^Allowed choices are (.*)\.$/.exec(why)?.[1]?.split(', ');
  const must =
    choices === undefined
      ? `${why.charAt(0).toLowerCase()}${why.slice(1)}`
      : `it must be ${either().format(choices)}.${didYouMean(value, choices)}`;
  return `${flag} ${value}: ${must}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

/** States the default in words that could be typed; an empty list and no limit are not shown. */
function inWords({
  description,
  defaultValue,
  defaultValueDescription,
  argChoices,
}: Option | Argument): string {
  const notes = [
    ...(argChoices === undefined ? [] : [`choices: ${argChoices.join(', ')}`]),
    ...defaultNote(defaultValueDescription ?? defaultValue),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function defaultNote(value: unknown): string[] {
  const shown = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
  return shown ? [`default: ${value}`] : [];
}
