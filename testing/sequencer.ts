/** The order in which the files of a test run begin. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that mostly wait; the longest ones are among them. */
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

/** The share of the other files that begin between these; the rest, which are short, fill the end. */
const AMONG = 2 / 3;

/**
 * Files that mostly wait for servers come first, in the order above, mixed with others that use the cores meanwhile. Within a kind,
 * vitest's order applies: by earlier duration or, if unknown, by size.
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
