/** Assembles the console's sections: each uses what the commands use. */
import { resolve } from 'node:path';
import type { CommandContext } from '../../cli/context.ts';
import { readConfig } from '../../config.ts';
import { logIn } from '../../dead-letters/desk/carry-out.ts';
import { type Letters, openLetters } from '../../dead-letters/desk/open.ts';
import { CommandError } from '../../errors.ts';
import { queueReader } from '../../status/ask/queues.ts';
import { workerUrlsOf } from '../../status/ask/urls.ts';
import { askWorkers } from '../../status/ask/workers.ts';
import { statusJson } from '../../status/json.ts';
import { version } from '../../version.ts';
import { letterRoutes } from '../api/dead-letters.ts';
import { observeRoutes } from '../api/observe.ts';
import { apiSection } from '../api/serve.ts';
import { changesSection } from '../changes/section.ts';
import { Desk } from '../dead-letters/desk.ts';
import { lettersSection } from '../dead-letters/section.ts';
import { nowSection } from '../now/section.ts';
import { awayOf, Watch } from '../now/watch.ts';
import { unavailableSection } from '../pages/unavailable.ts';
import type { Section } from '../section.ts';
import { taskSection } from '../task/section.ts';
import { makeAsking } from './asking.ts';
import { makeJobs } from './jobs.ts';

export interface Sections {
  readonly all: readonly Section[];
  /** Reads what an earlier process left: resolves before any request is served. */
  readonly restore: () => Promise<void>;
  /** Starts the background work. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

interface SectionsOptions {
  readonly context: CommandContext;
  readonly say: (text: string) => void;
  readonly onError: (error: unknown) => void;
  /** See `PassSurroundings`. */
  readonly pollSeconds?: number | undefined;
  /** Whether due jobs are sent from here. */
  readonly send: boolean;
}

/** How `dead-letters redrive` waits for canaries; waiting for all ends may take longer. In seconds. */
const canaryBounds = { seconds: 600, quietSeconds: 60 };
const endBounds = { seconds: 3_600, quietSeconds: 60 };

export function makeSections({ context, say, onError, pollSeconds, send }: SectionsOptions): Sections {
  const { env, clock, sleep, cwd } = context;
  const stateDir = resolve(cwd, readConfig(env, ['stateDir']).stateDir);
  const reader = queueReader({ env, clock });
  const urls = workerUrlsOf(env);
  const jobs = makeJobs({ context, stateDir, send, say, onError });
  const watch = new Watch({
    askWorkers: (signal) => askWorkers(urls, signal),
    readQueues: reader.read,
    askLedger: () => jobs.ledgerAway(),
    clock,
    sleep,
  });
  const letters = lettersOr(() =>
    openLetters({ ...context, pollSeconds, onNotice: (text) => say(`${text}.`) }),
  );
  const desk =
    typeof letters === 'string'
      ? undefined
      : new Desk({
          letters,
          stateDir,
          openLog: logIn(stateDir, clock.wall),
          canaryBounds,
          endBounds,
          now: clock.wall,
          sleep,
          say,
          onError,
        });
  const { trace, changes, close } = makeAsking({
    context,
    stateDir,
    letters: desk ?? String(letters),
    readLedger: jobs.readLedger,
  });
  const all: readonly Section[] = [
    nowSection(watch),
    jobs.section,
    desk === undefined
      ? unavailableSection({ path: '/dead-letters', name: 'Dead letters' }, String(letters))
      : lettersSection({ desk, now: clock.wall, sleep }),
    taskSection(trace),
    changesSection(changes),
  ];
  const routes = [
    ...observeRoutes({
      status: async () => {
        const seen = await watch.seen();
        return seen && { text: statusJson(seen.status, context.commandLine), away: awayOf(seen) };
      },
      samples: () => watch.samples(),
      changes,
      trace,
    }),
    ...jobs.routes,
    ...letterRoutes(desk ?? String(letters)),
  ];
  return {
    all: [...all, jobs.metrics, apiSection(routes, version, clock.wall)],
    restore: async () => await desk?.restore(),
    start: () => {
      void watch.run();
      desk?.resume();
      jobs.start();
    },
    close: async () => {
      watch.stop();
      close();
      await desk?.close();
      await jobs.close();
      reader.close();
    },
  };
}

/** What `open` gives, or why it fails. */
function lettersOr(open: () => Letters): Letters | string {
  try {
    return open();
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}
