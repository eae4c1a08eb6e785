/** Scripts for completion in shells, generated from the commands themselves. */
import type { Argument, Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What may follow: one of these words, the name of a file, or something only the user knows. */
type Values = readonly string[] | 'file' | 'unknown';

interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  /** undefined: the option takes no value. */
  readonly values: Values | undefined;
}

/** A command and what may follow it. */
interface Node {
  /** `jobs plan`; '' is the program. */
  readonly path: string;
  readonly inner: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly Flag[];
  readonly values: Values;
}

/** The script for `shell`, ending in a line feed. @param program must have all its commands loaded. */
export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program, '');
  return shell === 'fish' ? fishScript(program.name(), nodes) : bashScript(program.name(), nodes, shell);
}

function nodesOf(command: Command, path: string): Node[] {
  const help = command.createHelp();
  const inner = help.visibleCommands(command);
  const node = {
    path,
    inner: inner.map((each) => ({ name: each.name(), description: help.subcommandDescription(each) })),
    flags: help.visibleOptions(command).map(toFlag),
    values:
      command.registeredArguments.map((argument) => valuesOf(argument.name(), argument)).at(0) ?? 'unknown',
  } as const;
  const deeper = inner.filter((each) => each.name() !== 'help');
  return [node, ...deeper.flatMap((each) => nodesOf(each, `${path} ${each.name()}`.trim()))];
}

function toFlag(option: Option): Flag {
  const { short, long, description, flags } = option;
  const [, placeholder] = /<(.*)>/.exec(flags) ?? [];
  return {
    names: [long, short].filter((name) => name !== undefined && name !== null),
    description,
    values: placeholder === undefined ? undefined : valuesOf(placeholder, option),
  };
}

function valuesOf(placeholder: string, { argChoices }: Pick<Option | Argument, 'argChoices'>): Values {
  if (argChoices !== undefined) return argChoices;
  return ['file', 'path', 'plan'].includes(placeholder) ? 'file' : 'unknown';
}

/** Bash's own format; zsh reads it through its bashcompinit. */
function bashScript(program: string, nodes: readonly Node[], shell: Shell): string {
  const words = (values: Values): string =>
    typeof values === 'string' ? (values === 'file' ? 'files' : ':') : `words '${values.join(' ')}'`;
  const descents = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const byAction = new Map<string, string[]>();
  for (const { path, flags } of nodes)
    for (const { names, values } of flags) {
      if (values === undefined) continue;
      const places = names.map((name) => `'${path}:${name}'`);
      byAction.set(words(values), [...(byAction.get(words(values)) ?? []), ...places]);
    }
  const flagCases = [...byAction].map(([action, places]) => `    ${places.join('|')}) ${action}; return ;;`);
  const nodeCases = nodes.map(({ path, inner, flags, values }) => {
    const flagWords = flags.flatMap(({ names }) => names[0] ?? []).join(' ');
    const follow = inner.length > 0 ? `words '${inner.map(({ name }) => name).join(' ')}'` : words(values);
    return `    '${path}') if [[ $current == -* ]]; then words '${flagWords}'; else ${follow}; fi ;;`;
  });
  const name = `_${program.replaceAll('-', '_')}`;
  return `# Completion of ${program} for ${shell}. Read it with: source <(${program} completion ${shell})
${shell === 'zsh' ? 'autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n' : ''}${name}() {
  local current previous path='' word
  current=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
  files() { local IFS=$'\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); }
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    word="\${path:+$path }$word"
    case "$word" in
      ${descents.join('|')}) path=$word ;;
    esac
  done
  case "$path:$previous" in
${flagCases.join('\n')}
  esac
  case "$path" in
${nodeCases.join('\n')}
  esac
}
complete -F ${name} ${program}
`;
}

function fishScript(program: string, nodes: readonly Node[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = nodes.flatMap(({ path, inner, flags, values }) => {
    const here = `complete -c ${program} -n ${quoted(
      condition(
        path,
        inner.map(({ name }) => name),
      ),
    )}`;
    const names = inner.map((each) => `${here} -f -a ${each.name} -d ${quoted(each.description)}`);
    const own = flags.map(({ names: all, description, values: given }) => {
      const [long = '', short] = all;
      const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
      return `${here} -l ${long.slice(2)}${letter}${fishValues(given)} -d ${quoted(description)}`;
    });
    const follow =
      inner.length > 0 || values === 'file'
        ? []
        : [`${here} -f${typeof values === 'string' ? '' : ` -a ${quoted(values.join(' '))}`}`];
    return [...names, ...own, ...follow];
  });
  return `# Completion of ${program} for fish.\n${lines.join('\n')}\n`;
}

/** The words of the path were typed, but none that leads deeper. */
function condition(path: string, inner: readonly string[]): string {
  const seen = path
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => `__fish_seen_subcommand_from ${word}`);
  const deeper = inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(' ')}`];
  return [...seen, ...deeper].join('; and ');
}

function fishValues(values: Values | undefined): string {
  if (values === undefined) return '';
  if (values === 'file') return ' -r -F';
  return values === 'unknown' ? ' -x' : ` -x -a '${values.join(' ')}'`;
}
