/** Puts the console's sections together: each uses what the commands use. */
import { resolve } from 'node:path';
import type { CommandContext } from '../../cli/context.ts';
import { readConfig } from '../../config.ts';
import { readChanges } from '../../dead-letters/desk/log.ts';
import { type Letters, openLetters } from '../../dead-letters/desk/open.ts';
import { CommandError } from '../../errors.ts';
import { withLedger } from '../../jobs/commands/open.ts';
import { detailText } from '../../jobs/view/audit.ts';
import { queueReader } from '../../status/ask/queues.ts';
import { workerUrlsOf } from '../../status/ask/urls.ts';
import { askWorkers } from '../../status/ask/workers.ts';
import { statusJson } from '../../status/json.ts';
import { askApi, askLedger } from '../../trace/commands/sources.ts';
import { letterFinding } from '../../trace/letters.ts';
import type { SourceReport, Trace } from '../../trace/trace.ts';
import { updatesOf } from '../../trace/updates.ts';
import { version } from '../../version.ts';
import { letterRoutes } from '../api/dead-letters.ts';
import { observeRoutes } from '../api/observe.ts';
import { apiSection } from '../api/serve.ts';
import type { ChangeSources, ChangesAnswer } from '../changes/newest.ts';
import { changesSection } from '../changes/section.ts';
import { Desk } from '../dead-letters/desk.ts';
import { lettersSection } from '../dead-letters/section.ts';
import { nowSection } from '../now/section.ts';
import { Watch } from '../now/watch.ts';
import { unavailableSection } from '../pages/unavailable.ts';
import type { Section } from '../section.ts';
import { taskSection } from '../task/section.ts';
import { makeJobs } from './jobs.ts';

export interface Sections {
  readonly all: readonly Section[];
  /** Reads what an earlier process has left: resolves before anything is asked for. */
  readonly restore: () => Promise<void>;
  /** What goes on by itself begins. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

interface SectionsOptions {
  readonly context: CommandContext;
  readonly say: (text: string) => void;
  readonly onError: (error: unknown) => void;
  /** See `PassSurroundings`. */
  readonly pollSeconds?: number | undefined;
  /** Whether jobs that are due are sent from here. */
  readonly send: boolean;
}

/** As `dead-letters redrive` waits for canaries; the end of all may take longer. In seconds. */
const canaryBounds = { seconds: 600, quietSeconds: 60 };
const endBounds = { seconds: 3_600, quietSeconds: 60 };

export function makeSections({ context, say, onError, pollSeconds, send }: SectionsOptions): Sections {
  const { env, clock, sleep, cwd } = context;
  const stateDir = resolve(cwd, readConfig(env, ['stateDir']).stateDir);
  const reader = queueReader({ env, clock });
  const urls = workerUrlsOf(env);
  const watch = new Watch({
    askWorkers: (signal) => askWorkers(urls, signal),
    readQueues: reader.read,
    clock,
    sleep,
  });
  const letters = lettersOr(() =>
    openLetters({ ...context, pollSeconds, onNotice: (text) => say(`${text}.`) }),
  );
  const desk =
    typeof letters === 'string'
      ? undefined
      : new Desk({ letters, stateDir, canaryBounds, endBounds, now: clock.wall, sleep, say, onError });
  const jobs = makeJobs({ context, stateDir, send, say, onError });
  const changes: ChangeSources = {
    jobs: (most) => ledgerChanges(context, most),
    'dead letters': (most) => letterChanges(stateDir, most),
  };
  const all: readonly Section[] = [
    nowSection(watch),
    jobs.section,
    desk === undefined
      ? unavailableSection({ path: '/dead-letters', name: 'Dead letters' }, String(letters))
      : lettersSection({ desk, now: clock.wall, sleep }),
    taskSection((identifier, signal) => trace(context, desk, identifier, signal)),
    changesSection(changes),
  ];
  const routes = [
    ...observeRoutes({
      status: async () => {
        const seen = await watch.seen();
        return seen && statusJson(seen.status, context.commandLine);
      },
      samples: () => watch.samples(),
      changes,
      trace: (identifier, signal) => trace(context, desk, identifier, signal),
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
      await desk?.close();
      await jobs.close();
      reader.close();
    },
  };
}

/** What opens, or why it does not. */
function lettersOr(open: () => Letters): Letters | string {
  try {
    return open();
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

/** The letters are those of the last look: a pass of its own would hide them from it. */
async function trace(
  context: CommandContext,
  desk: Desk | undefined,
  identifier: string,
  signal: AbortSignal,
): Promise<Trace> {
  const asking = { context, identifier, signal };
  const [ledger, task] = await Promise.all([askLedger(asking), askApi(asking)]);
  const look = desk?.look;
  const own = [...(look?.letters.values() ?? [])].filter((letter) => letter.identifier === identifier);
  const letters: SourceReport =
    look === undefined
      ? { source: 'dead-letters', state: 'not-asked', what: 'nobody has looked at them yet from here' }
      : {
          source: 'dead-letters',
          state: look.pass.end === 'through' && look.letters.size === look.pass.seen ? 'read' : 'in-part',
          what: `${own.length} of ${look.letters.size} kept by the look at ${new Date(look.at).toISOString()}`,
        };
  return {
    identifier,
    task: task.task,
    updates: updatesOf([...ledger.findings, ...own.map(letterFinding)]),
    sources: [ledger.report, letters, task.report],
  };
}

async function ledgerChanges(context: CommandContext, most: number): Promise<ChangesAnswer> {
  try {
    return await withLedger(context, 'read', async (ledger) => {
      if (ledger.access === 'none') return [];
      const lines = await ledger.audit(most);
      return lines.map(({ at, who, what, subject, why = '', detail }) => ({
        at,
        who,
        what: `${what}: ${subject}`,
        why,
        detail: detailText(detail),
      }));
    });
  } catch (error) {
    if (error instanceof CommandError) return { away: error.message.replace(/\.$/, '') };
    throw error;
  }
}

async function letterChanges(stateDir: string, most: number): Promise<ChangesAnswer> {
  const changes = await readChanges(stateDir, most);
  if (typeof changes === 'string') return { away: changes };
  return changes.map(({ at, by, action, reason, what, letters, end }) => ({
    at,
    who: by,
    what: `${action} of dead letters`,
    why: reason,
    detail: `${letters} named; ${JSON.stringify(what)}; ${end === undefined ? 'no end is logged' : JSON.stringify(end.result)}`,
  }));
}
