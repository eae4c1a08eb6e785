/** docs/reference/check.md */
import type { RuleName, Severity } from '../../src/check/finding.ts';
import { code, type Page, table } from './page.ts';

/** What each rule looks at, and when a finding has which severity. */
const rules: Readonly<Record<RuleName, { readonly at: string } & Partial<Record<Severity, string>>>> = {
  region: { at: 'AWS region', ok: 'is known', error: 'none is set' },
  credentials: { at: 'AWS credentials', ok: 'were found', error: 'were not found' },
  proxy: { at: '`HTTPS_PROXY` and `HTTP_PROXY`', ok: 'is used for requests to AWS' },
  'queue-read': { at: 'each queue', ok: 'its attributes could be read' },
  'queue-skipped': { at: 'each queue', warning: 'not looked at: no region or no credentials' },
  'queue-missing': { at: 'each queue', error: 'does not exist' },
  'queue-permission': {
    at: 'each queue',
    error: '`sqs:GetQueueAttributes` is denied',
    warning: 'the same, on the outcome queue: the worker can do without',
  },
  'queue-credentials': { at: 'each queue', error: 'SQS refuses the credentials' },
  'queue-unreachable': { at: 'each queue', error: 'no connection to SQS' },
  'queue-unreadable': { at: 'each queue', error: 'any other error of SQS' },
  'queue-region': { at: 'the URL of each queue', error: 'names another region than requests are signed for' },
  'queues-distinct': { at: 'all queues', error: 'two variables name one queue (compared by ARN)' },
  'queue-kinds': {
    at: 'the dead-letter queue',
    error: 'is FIFO and the source queue is not, or the reverse',
  },
  'dead-letter-retention': {
    at: 'the dead-letter queue',
    ok: 'keeps messages for 14 days',
    warning: 'keeps them for less than 14 days',
    error: 'keeps them for less time than the source queue',
  },
  'dead-letter-size': {
    at: "the dead-letter queue's `MaximumMessageSize`",
    ok: 'is 1 MiB',
    warning: 'is less than 1 MiB',
    error: "is below the source queue's: a large letter would be refused for ever",
  },
  'outcome-retention': {
    at: 'the outcome queue',
    ok: 'keeps messages for 14 days',
    warning: 'keeps them for less',
  },
  'redrive-policy': {
    at: 'the redrive policy of the source queue, if it has one',
    ok: 'allows at least 100 receives',
    warning: 'allows fewer, or cannot be read',
  },
  'redrive-target': {
    at: 'the redrive policy of the source queue',
    warning: 'moves messages to another queue than `DEAD_LETTER_QUEUE_URL`',
  },
  'dead-letter-redrive': {
    at: 'the dead-letter queue',
    warning: 'has a redrive policy of its own, which moves letters away as they are looked at',
  },
  clock: {
    at: 'the local clock, against the time in SQS answers',
    ok: 'at most 1 minute off',
    warning: 'more than 1 minute off, or could not be compared',
    error: 'more than 5 minutes off: AWS refuses the signatures',
  },
  'api-region': {
    at: 'AWS region',
    warning: 'AWS IoT Managed Integrations is not known to run there',
  },
  'api-endpoint': {
    at: "the API's endpoint",
    ok: 'its host name resolves',
    error: 'does not resolve, or a custom endpoint is combined with `AWS_USE_FIPS_ENDPOINT`',
  },
  'redis-open': {
    at: '`REDIS_URL`, if it is set',
    ok: 'has TLS and a password, or is on this machine',
    warning: 'is without one of them',
  },
  'shutdown-grace': {
    at: '`SHUTDOWN_GRACE_SECONDS`',
    ok: 'at most 30 s',
    warning: 'above the 30 s that ECS and Kubernetes give by default',
  },
  lease: {
    at: '`VISIBILITY_TIMEOUT_SECONDS`',
    ok: 'longer than one call may take',
    warning: 'not above `CALL_TIMEOUT_MS`',
  },
};

export const checkPage: Page = {
  name: 'check.md',
  about: 'Every rule of `check`, and when it warns or fails',
  text: () => `# Rules of \`check\`

\`check\` reads the configuration, asks for the attributes of the queues, resolves the API's host name, and compares the
clock. It changes nothing, receives no message, and makes no call to the API. Exit code 0 when no finding is an error
(warnings allowed), 1 otherwise. \`--json\` prints each finding with its rule; the names do not change between releases.

${table(
  ['rule', 'looks at', 'ok', 'warning', 'error'],
  Object.entries(rules).map(([name, { at, ok = '', warning = '', error = '' }]) => [
    code(name),
    at,
    ok,
    warning,
    error,
  ]),
)}
`,
};
