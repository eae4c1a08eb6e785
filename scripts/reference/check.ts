/** docs/reference/check.md */
import type { RuleName, Severity } from '../../src/check/finding.ts';
import { code, type Page, table } from './page.ts';

/** What each rule looks at, and when a finding has which severity. */
const rules: Readonly<Record<RuleName, { readonly at: string } & Partial<Record<Severity, string>>>> = {
  region: { at: 'AWS region', ok: 'is known', error: 'none is set' },
  credentials: { at: 'AWS credentials', ok: 'were found', error: 'were not found, or have expired' },
  proxy: { at: '`HTTPS_PROXY` and `HTTP_PROXY`', ok: 'is used for requests to AWS' },
  'queue-read': { at: 'each queue', ok: 'its attributes could be read' },
  'queue-skipped': { at: 'each queue', unchecked: 'no region, or no credentials' },
  'queue-missing': { at: 'each queue', error: 'does not exist' },
  'queue-permission': {
    at: 'each queue',
    error: '`sqs:GetQueueAttributes` is denied',
    warning: 'the same, on the outcome queue: the worker does not need it',
  },
  'queue-credentials': { at: 'each queue', error: 'SQS refuses the credentials' },
  'queue-unreachable': { at: 'each queue', error: 'no connection to SQS' },
  'queue-throttled': { at: 'each queue', warning: 'SQS throttled the request five times in a row' },
  'queue-foreign': { at: 'each queue', error: 'a proxy, a login page or another service answers, not SQS' },
  'queue-unreadable': { at: 'each queue', error: 'any other error of SQS' },
  'queue-key': {
    at: "each queue's `KmsMasterKeyId`, if it has one",
    ok: "is AWS's own key",
    unchecked: 'whether the key may be used, with what each role needs: only messages show it',
    error: 'SQS says that the key cannot be used',
  },
  'queue-actions': {
    at: 'the queues that could be read',
    unchecked: 'whether messages may be received, deleted and sent: trying it would change the queues',
  },
  'queue-region': { at: 'the URL of each queue', error: 'names another region than requests are signed for' },
  'queues-distinct': { at: 'all queues', error: 'two variables name the same queue (compared by ARN)' },
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
    error: "is below the source queue's: a large letter would be refused forever",
  },
  'outcome-retention': {
    at: 'the outcome queue',
    ok: 'keeps messages for 14 days',
    warning: 'keeps them for less',
  },
  'redrive-policy': {
    at: 'the redrive policy of the source queue',
    ok: 'allows at least 100 receives',
    warning: 'there is none, it allows fewer, or it cannot be read; `maxReceiveCount` 1000 is advised',
  },
  'redrive-target': {
    at: 'the redrive policy of the source queue',
    warning: 'moves messages to a queue other than `DEAD_LETTER_QUEUE_URL`',
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
  'api-read': {
    at: 'one signed GetOtaTask for a task that does not exist',
    ok: 'the API knows no such task: it accepts the credentials and allows the read',
    unchecked: 'it denies the read, which a worker does not need; or there are no credentials',
    warning: 'it throttled the request five times in a row',
    error:
      "no connection, credentials or signature refused, an answer that is not the API's, or the API fails",
  },
  'api-update': {
    at: 'the API',
    unchecked: 'whether it allows UpdateOtaTask: trying it could change a task',
  },
  redis: {
    at: '`REDIS_URL`, if it is set',
    ok: 'answers a PING and runs a script',
    error: 'does not, or is a replica',
  },
  'redis-clock': {
    at: "Redis's clock, against the time in SQS answers",
    ok: 'at most 1 minute off',
    warning: 'more than 1 minute off',
  },
  'redis-open': {
    at: '`REDIS_URL`, if it is set',
    ok: 'has TLS and a password, or is on this machine',
    warning: 'lacks one of them',
  },
  'state-folder': {
    at: '`STATE_DIR`',
    ok: 'is a folder that this user may write to, or can be made',
    warning:
      'cannot be used: `jobs` and `dead-letters` keep their records there; the worker does not need it',
  },
  ledger: {
    at: 'the ledger of jobs in `STATE_DIR`, if there is one',
    ok: 'can be read',
    warning: 'cannot be read',
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

\`check\` prints the settings in force (without user, password and query of a URL) and looks at what they name: it asks for the
attributes of the queues, reads one task of the API that does not exist (\`iotmanagedintegrations:GetOtaTask\`), pings Redis,
compares clocks, and tries the state folder. It changes nothing and receives no message; what it could not check is also a
finding. Throttled requests are repeated. Exit code 0 when no finding is an error, 1 otherwise. \`--json\` prints each
finding with its rule; the names do not change between releases.

${table(
  ['rule', 'looks at', 'ok', 'not checked', 'warning', 'error'],
  Object.entries(rules).map(([name, { at, ok = '', unchecked = '', warning = '', error = '' }]) => [
    code(name),
    at,
    ok,
    unchecked,
    warning,
    error,
  ]),
)}
`,
};
