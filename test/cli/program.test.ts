/** The words of a command line: the wrong ones, the help, the examples, and their completion. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { examples } from '../../src/cli/examples.ts';
import { CommandError } from '../../src/errors.ts';
import { loadProgram, runProgram } from '../../src/program.ts';
import { type FakeContext, fakeContext } from '../../testing/stages/context.ts';

async function run(args: readonly string[], context: FakeContext = fakeContext()) {
  const error = await runProgram(args, context).catch((thrown: unknown) => thrown);
  return { ...context.output, error };
}

/** The program, by '', and every command, by its name with those around it. */
async function allCommands(): Promise<Map<string, Command>> {
  const found = new Map<string, Command>();
  const visit = (command: Command, path: string): void => {
    found.set(path, command);
    for (const each of command.commands) visit(each, `${path} ${each.name()}`.trim());
  };
  visit(await loadProgram(['completion'], fakeContext()), '');
  return found;
}
const wordsOf = (path: string): string[] => (path === '' ? [] : path.split(' '));
const commands = await allCommands();

describe('a wrong word is one short sentence, with the nearest right one and where all of them are', () => {
  test.each([
    [['wroker'], 'Unknown command "wroker". Did you mean "worker"? See `ota-updater --help`.'],
    [['xyz'], 'Unknown command "xyz". See `ota-updater --help`.'],
    [['apply', 'p'], 'Unknown command "apply". Did you mean "jobs apply"? See `ota-updater --help`.'],
    [['jobs', 'plna'], 'Unknown command "plna". Did you mean "plan"? See `ota-updater jobs --help`.'],
    [
      ['help', 'jobs', 'aply'],
      'Unknown command "aply". Did you mean "apply"? See `ota-updater jobs --help`.',
    ],
    [['help', 'chek'], 'Unknown command "chek". Did you mean "check"? See `ota-updater --help`.'],
    [['--versoin'], 'Unknown option --versoin. Did you mean "--version"? See `ota-updater --help`.'],
    [
      ['jobs', 'plan', '--from_task'],
      'Unknown option --from_task. Did you mean "--from-tasks"? See `ota-updater jobs plan --help`.',
    ],
    [
      ['check', '--envfile=x'],
      'Unknown option --envfile. Did you mean "--env-file"? See `ota-updater check --help`.',
    ],
    [['enqueue'], 'The argument <file> is missing. See `ota-updater enqueue --help`.'],
    [
      ['enqueue', 'a', 'b'],
      "Too many arguments for 'enqueue'. Expected 1 argument but got 2: a, b. See `ota-updater enqueue --help`.",
    ],
    [
      ['enqueue', 'a', '--set'],
      '--set <field=value>: the value is missing. See `ota-updater enqueue --help`.',
    ],
    [
      ['enqueue', 'a', '--from-line', '1.5'],
      '--from-line 1.5: it must be a whole number from 1, of at most 15 digits. See `ota-updater enqueue --help`.',
    ],
    [['jobs', 'status', ''], '<job> : it is empty. See `ota-updater jobs status --help`.'],
    [['sandbox', '--host', ''], '--host : it is empty. See `ota-updater sandbox --help`.'],
    [
      ['schema', 'updat'],
      '<name> updat: it must be update, outcome, outcome-event or dead-letter. Did you mean "update"? See `ota-updater schema --help`.',
    ],
    [
      ['dead-letters', 'export', '--as', 'letter'],
      '--as letter: it must be letters or updates. Did you mean "letters"? See `ota-updater dead-letters export --help`.',
    ],
  ])('%j', async (args, message) => {
    const { error, stdout, stderr } = await run(args);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ message, exitCode: 2 });
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });
});

describe('help', () => {
  test('of an inner command, asked for in each way, is that command’s', async () => {
    const ways = [
      ['help', 'jobs', 'plan'],
      ['jobs', 'help', 'plan'],
      ['jobs', 'plan', '--help'],
    ];
    for (const args of ways) {
      const { stdout, error } = await run(args);
      expect(stdout).toMatch(/^Usage: ota-updater jobs plan /);
      expect(error).toBeInstanceOf(CommanderError);
      expect(error).toMatchObject({ exitCode: 0 });
    }
  });

  test.each([...commands.keys()])('of %s has an example, and defaults that could be typed', async (path) => {
    const { stdout } = await run([...wordsOf(path), '--help']);
    expect(stdout).toMatch(new RegExp(`^Examples?:\\n  # .+\\n  ota-updater ${path}`, 'm'));
    expect(stdout).not.toMatch(/default:\s+(?:\[|\{|null|")/);
  });
});

test('every example can be run as it is printed', async () => {
  expect(Object.keys(examples).sort()).toEqual([...commands.keys()].sort());
  for (const [path, list] of Object.entries(examples))
    for (const { args } of list) {
      const program = await loadProgram(['completion'], fakeContext());
      let ran: string | undefined;
      for (const name of commands.keys())
        name
          .split(' ')
          .reduce<Command | undefined>(
            (at, word) => at?.commands.find((each) => each.name() === word),
            program,
          )
          ?.action(() => {
            ran = name;
          });
      const line = [...wordsOf(path), ...args];
      await program.parseAsync(line, { from: 'user' });
      const names = line.map((_, i) => line.slice(0, i + 1).join(' '));
      expect(ran).toBe(names.findLast((name) => commands.has(name)));
    }
});

describe('completion', () => {
  const cases: [line: string, offered: string][] = [
    ['ota-updater jo', 'jobs'],
    ['ota-updater jobs re', 'resume report retry reconcile'],
    ['ota-updater jobs apply plan --ca', '--canary'],
    ['ota-updater schema ', 'update outcome outcome-event dead-letter'],
    ['ota-updater dead-letters export --as l', 'letters'],
    ['ota-updater --env-file package.js', 'package.json'],
    ['ota-updater enqueue tsconf', 'tsconfig.json'],
    ['ota-updater jobs status ', ''],
  ];

  test('in bash offers commands, flags, values and files', async () => {
    const { stdout } = await run(['completion', 'bash']);
    const asked = cases.map(([line]) => {
      const words = line.split(' ').map((word) => `'${word}'`);
      return `COMP_WORDS=(${words.join(' ')}) COMP_CWORD=${words.length - 1}; _ota_updater; echo "\${COMPREPLY[*]}"`;
    });
    const answers = execFileSync('bash', ['-c', `${stdout}\n${asked.join('\n')}`], { encoding: 'utf8' });
    expect(answers.split('\n').slice(0, -1)).toEqual(cases.map(([, offered]) => offered));
  });

  test('in bash offers the name of a file with a space in it as one word', async () => {
    const { stdout } = await run(['completion', 'bash']);
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    writeFileSync(join(folder, 'my file.csv'), '');
    const ask = `COMP_WORDS=(ota-updater enqueue my) COMP_CWORD=2; _ota_updater; printf '[%s]' "\${COMPREPLY[@]}"`;
    const answer = execFileSync('bash', ['-c', `${stdout}\n${ask}`], { cwd: folder, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(answer).toBe('[my file.csv]');
  });

  test('in zsh reads the same script, and in fish knows every command and flag', async () => {
    const zsh = (await run(['completion', 'zsh'])).stdout;
    expect(zsh).toContain('bashcompinit');
    const fish = (await run(['completion', 'fish'])).stdout;
    for (const [path, command] of commands) {
      const name = wordsOf(path).at(-1);
      if (name !== undefined) expect(fish).toMatch(new RegExp(`-a ${name} -d '`));
      for (const { long, hidden } of command.options)
        if (!hidden) expect(fish).toContain(`-l ${long?.slice(2)}`);
    }
    // An odd number of quotes would make the script unreadable.
    for (const line of fish.split('\n')) expect(line.replaceAll("\\'", '').split("'").length % 2).toBe(1);
  });

  const installed = (shell: string): boolean => spawnSync(shell, ['-c', ':']).error === undefined;
  for (const shell of ['zsh', 'fish'])
    test.skipIf(!installed(shell))(`is a script that ${shell} can read`, async () => {
      const { stdout } = await run(['completion', shell]);
      execFileSync('sh', ['-c', `cat | ${shell} -n /dev/stdin`], {
        input: stdout,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    });
});
