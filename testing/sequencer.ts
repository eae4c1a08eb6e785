/** In which order the files of a run begin. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest are among these, and mostly wait. */
const WAITING = [
  '/test/deploy/ten-minutes',
  '/test/contract/producers-page',
  '/chaos/test/run-',
  '/test/ota/rate/limiter-redis',
  '/packages/producer/',
  '/test/jobs/ledger/postgres',
  '/test/e2e/failure-table-leases',
  '/test/e2e/notices',
  '/test/e2e/http',
  '/test/e2e/shutdown',
  '/test/e2e/walk-throughs',
  '/test/e2e/jobs-senders',
  '/test/e2e/jobs-others-first',
  '/test/e2e/crash',
  '/test/e2e/pauses-descriptors',
  '/test/e2e/',
];

/** The part of the other files that begins among them; the rest, which are short, fill what is left at the end. */
const AMONG = 2 / 3;

/**
 * The files that mostly wait for servers, in the order above, and between them others, which use the cores meanwhile. Within a kind,
 * vitest's order: by how long a file was, and where it does not know that, by its size.
 */
export class WaitsAmongWork extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      WAITING.findIndex((folder) => moduleId.includes(folder));
    const sorted = await super.sort(files);
    const waiting = sorted.filter((file) => rank(file) !== -1).toSorted((a, b) => rank(a) - rank(b));
    const others = sorted.filter((file) => rank(file) === -1);
    const each = Math.floor((others.length * AMONG) / Math.max(1, waiting.length));
    return [
      ...waiting.flatMap((file, at) => [file, ...others.slice(at * each, (at + 1) * each)]),
      ...others.slice(waiting.length * each),
    ];
  }
}
