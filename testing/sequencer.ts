/** In which order the files of a run begin. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest are among these, and mostly wait: the others fill the time until they have ended. */
const LONGEST = [
  '/test/deploy/ten-minutes',
  '/test/contract/producers-page',
  '/test/jobs/ledger/postgres',
  '/chaos/test/',
  '/test/e2e/',
  '/test/ota/rate/limiter-redis',
];

/** Vitest's order goes by how long a file was, and where it does not know that, by its size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((folder) => moduleId.includes(folder));
      return found === -1 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
