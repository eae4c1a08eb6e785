/** Shows what the sandbox's worker does, on one line of a terminal. */
import type { CommandContext } from '../../cli/context.ts';
import { createScreen } from '../../text/live-block.ts';
import { number } from '../../text/numbers.ts';
import type { WorkerSnapshot } from '../../worker/snapshot.ts';

const DRAW_MS = 500;

/** @returns a function that ends it: the last state stays. */
export function showLive({ stderr, clock }: CommandContext, snapshot: () => WorkerSnapshot): () => void {
  const screen = createScreen<WorkerSnapshot>({
    stream: stderr,
    isTerminal: true,
    now: clock.monotonic,
    block: (view) => [liveLine(view)],
    line: liveLine,
  });
  const show = (): void => screen.update(snapshot());
  show();
  const timer = setInterval(show, DRAW_MS);
  return () => {
    clearInterval(timer);
    screen.stop();
    screen.say(liveLine(snapshot()));
  };
}

/** `applied 1,234   dead-lettered 12   held 20   198 calls/s   throttled 3`. */
function liveLine({ counts, held, callsPerSecond }: WorkerSnapshot): string {
  const parts = [
    `applied ${number(counts.applied)}`,
    ...(counts.superseded > 0 ? [`superseded ${number(counts.superseded)}`] : []),
    `dead-lettered ${number(counts.deadLettered)}`,
    `held ${number(held)}`,
    `${number(Math.round(callsPerSecond))} calls/s`,
    `throttled ${number(counts.throttled)}`,
  ];
  return parts.join('   ');
}
