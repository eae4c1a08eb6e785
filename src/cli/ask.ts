/** Asks the person at the terminal before something is done. */
import { createInterface } from 'node:readline';
import { printable } from '../text/printable.ts';
import type { CommandContext } from './context.ts';

/** Whether there is a person to ask: a terminal on both ends. */
export function canAsk({ isTerminal, stdin }: Pick<CommandContext, 'isTerminal' | 'stdin'>): boolean {
  return isTerminal && stdin.isTTY === true;
}

/**
 * Asks on stderr and reads one line. Nothing typed, the end of the input and an interruption are a no; where there is no
 * terminal it is a no at once, without a question.
 * @param question without the space after it.
 * @param agrees whether an answer, without the blanks around it, means yes.
 */
export async function ask(
  context: Pick<CommandContext, 'isTerminal' | 'stdin' | 'stderr'>,
  question: string,
  agrees: (answer: string) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  if (!canAsk(context) || signal.aborted) return false;
  const { stdin, stderr } = context;
  stderr.write(`${printable(question)} `);
  const lines = createInterface({ input: stdin, signal });
  let answer: string | undefined;
  try {
    for await (const line of lines) {
      answer = line.trim();
      break;
    }
  } catch {
    // A terminal that is gone can say nothing, and so not yes.
  } finally {
    lines.close();
  }
  // The person's own line feed ends the line; without an answer there was none.
  if (answer === undefined) stderr.write('\n');
  return answer !== undefined && !signal.aborted && agrees(answer);
}

/** `y` and `yes`. */
export function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer);
}
