/** What every dead-letter command works with: both queues from the configuration, and the reporting of their errors. */
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { AuditError, type OpenAudit } from '../changes/audit.ts';
import { logIn } from '../desk/carry-out.ts';
import { explain } from '../desk/explain.ts';
import { type Letters, openLetters } from '../desk/open.ts';
import type { PassSurroundings } from '../pass/pass.ts';

export interface LettersRun extends Pick<Letters, 'config' | 'source' | 'dead' | 'redriveTo'> {
  readonly context: CommandContext;
  readonly surroundings: PassSurroundings;
  readonly openLog: OpenAudit;
}

/** Runs a command's work with both queues. */
export type StartRun = (work: (run: LettersRun) => Promise<void>) => Promise<void>;

/**
 * Runs `work`. Its signal aborts on an interruption, and when the reader of stdout closes it (`| head`). In the latter case
 * nothing is wrong, but the letters must still be made visible again.
 * @throws CommandError for errors from SQS, and if two settings name one queue; ConfigError for an invalid configuration.
 */
export async function startRun(
  context: CommandContext,
  pollSeconds: number | undefined,
  work: (run: LettersRun) => Promise<void>,
): Promise<void> {
  const letters = openLetters({
    ...context,
    pollSeconds,
    onNotice: (text) => void context.stderr.write(`${text}.\n`),
  });
  const { config, source, dead, redriveTo } = letters;
  const readerGone = new AbortController();
  const onOutputError = (): void => readerGone.abort();
  context.stdout.on('error', onOutputError);
  try {
    await letters.checkQueues();
    await interruptible(context, (interrupted) =>
      work({
        context,
        config,
        source,
        dead,
        redriveTo,
        openLog: logIn(config.stateDir, context.clock.wall),
        surroundings: letters.surroundings(AbortSignal.any([interrupted, readerGone.signal])),
      }),
    );
    if (readerGone.signal.aborted) context.exitCode = exitCodes.done;
  } catch (error) {
    if (readerGone.signal.aborted && !(error instanceof AuditError)) return;
    const why = explain(error, config);
    throw why === undefined ? error : new CommandError(`Failed: ${why}.`);
  } finally {
    context.stdout.off('error', onOutputError);
    await letters.close();
  }
}
