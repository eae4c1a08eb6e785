/** The end-to-end tests once more, on another SQS server than fauxqs: `npm run test:second-sqs`. */
import { defineConfig } from 'vitest/config';
import { filesOnFauxqsAlone, testsOnFauxqsAlone } from './testing/sqs/second-sqs-exceptions.ts';
import { test } from './vitest.config.ts';

export default defineConfig({
  test: {
    ...test,
    include: ['test/e2e/*.test.ts'],
    exclude: Object.keys(filesOnFauxqsAlone).map((name) => `test/e2e/${name}.test.ts`),
    testNamePattern: `^(?!.*(${Object.keys(testsOnFauxqsAlone).join('|')}))`,
    env: { SQS_JUDGE: 'local-aws-sqs' },
  },
});
