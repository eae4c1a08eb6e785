/** Asks the person at the terminal before something is done. */
import { createInterface } from 'node:readline';
import { printable } from '../text/printable.ts';
import type { CommandContext } from './context.ts';

/** Whether there is a person to ask: a terminal on both ends. */
export function canAsk({ isTerminal, stdin }: Pick<CommandContext, 'isTerminal' | 'stdin'>): boolean {
  return isTerminal && stdin.isTTY === true;
}

/**
 * Asks on stderr and reads one line. An empty line, the end of the input and an interruption mean no. Without a
 * terminal the answer is no at once, without a question.
 * @param question without a trailing space.
 * @param agrees whether an answer, trimmed, means yes.
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
    // A terminal that is gone cannot answer, and thus not say yes.
  } finally {
    lines.close();
  }
  // The user's own line feed ends the line; without an answer there was none.
  if (answer === undefined) stderr.write('\n');
  return answer !== undefined && !signal.aborted && agrees(answer);
}

/** `y` and `yes`. */
export function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer);
}
