/** `completion SHELL`: prints the script that makes a shell complete commands, flags and values. */
import { Argument, type Command } from 'commander';
import { completionScript, type Shell, shells } from '../cli/completion.ts';
import type { CommandContext } from '../cli/context.ts';

/** @param command a command of the program, which must have all commands loaded. */
export function configureCompletion(command: Command, context: CommandContext): void {
  command
    .description(
      'Prints the script for shell completion of commands, flags and their values. Bash and zsh read it in ' +
        '~/.bashrc or ~/.zshrc: source <(ota-updater completion bash). Fish: ota-updater completion fish > ' +
        '~/.config/fish/completions/ota-updater.fish',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: Shell) => {
      context.stdout.write(completionScript(shell, command.parent ?? command));
    });
}
