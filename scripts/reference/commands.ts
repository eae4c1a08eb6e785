/** docs/reference/commands.md */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CommanderError } from 'commander';
import { contextOf } from '../../src/cli/context.ts';
import { runProgram } from '../../src/program.ts';
import { type CommandLine, shellLine } from '../../src/text/shell.ts';
import { block, type Page } from './page.ts';

export const commandsPage: Page = {
  name: 'commands.md',
  about: 'The help of every command: arguments, flags, exit codes',
  text: async () => {
    const overview = await helpOf([]);
    const sections: string[] = [];
    for (const name of commandsIn(overview)) {
      const help = await helpOf([name]);
      sections.push(`## ${name}\n\n${block(help)}`);
      for (const inner of commandsIn(help)) {
        sections.push(`### ${name} ${inner}\n\n${block(await helpOf([name, inner]))}`);
      }
    }
    return `# Commands

In the image \`ota-updater COMMAND\`, from a checkout \`npx ota-updater COMMAND\`. Results go to stdout, everything else to
stderr; [exit codes](exit-codes.md); [the shapes of \`--json\`](json.md).

${block(overview)}

${sections.join('\n\n')}
`;
  },
};

const commandLine: CommandLine = (...args) => shellLine(['ota-updater', ...args]);

/** The output of `--help` at 80 columns. */
async function helpOf(command: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const context = { ...contextOf(process, { listen: () => () => {} }), env: {}, stdout, commandLine };
  await runProgram([...command, '--help'], context).catch((error: unknown) => {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  });
  stdout.end();
  return text(stdout);
}

/** The commands that a help text lists. */
function commandsIn(help: string): string[] {
  const [, list = ''] = /^Commands:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  return [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}
