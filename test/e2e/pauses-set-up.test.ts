/** Wrong credentials, clock or configuration: no message is dead-lettered, and work resumes once they are right. */
import { afterEach, describe, expect, test } from 'vitest';
import { readiness } from '../../src/observe/health.ts';
import { logEvents } from '../../src/observe/log-events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { credentials, type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
const heldInAPause = 30;

/** A logger at `trace`, and its lines. */
function memoryLog(): { lines: string[]; listener: ReturnType<typeof logEvents> } {
  const lines: string[] = [];
  const log = createLogger('trace', {
    write: (line: string) => {
      lines.push(line);
    },
  });
  return { lines, listener: logEvents(log) };
}

async function setPausedStage(count: number, options: StageOptions = {}): Promise<void> {
  stage = await setStage({ ...options, env: { MAX_DELIVERIES: '1', MAX_ATTEMPTS: '1', ...options.env } });
  await stage.sendUpdates(count);
}

/** The worker has paused, probes fail, and no message is dead-lettered. */
async function expectPause(): Promise<void> {
  await stage.until(() => stage.worker.snapshot().gate !== 'open' || stage.settled('dead-letter').length > 0);
  expect(stage.settled('dead-letter')).toHaveLength(0);
  expect(stage.worker.snapshot().gate).toBe('misconfigured');
  expect(readiness(stage.worker.snapshot()).reasons.join()).toContain('credentials, clock or configuration');
  await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
  const attempts = (): number => stage.events.filter((event) => event.type === 'attempt').length;
  const before = attempts();
  await stage.until(() => attempts() >= before + 3);
  expect(stage.settled('dead-letter')).toHaveLength(0);
  expect(stage.settled('acknowledge')).toHaveLength(0);
  // Open polls may have received more, which the next probes release.
  await expect.poll(() => stage.worker.snapshot().held).toBeLessThanOrEqual(heldInAPause);
}

async function expectRecovery(count: number): Promise<void> {
  await stage.ended(count);
  expect(stage.settled('acknowledge')).toHaveLength(count);
  expect(await stage.deadLetters()).toEqual([]);
  expect(stage.left()).toEqual(empty);
  expect(readiness(stage.worker.snapshot())).toEqual({ ok: true, reasons: [] });
}

describe('an answer that rejects credentials, clock or configuration pauses calls until it ends', () => {
  test('expired credentials of every call', async () => {
    await setPausedStage(60, { api: { expiredCredentials: true }, random: () => 0 });
    await stage.worker.start();
    await expectPause();
    // Calls in flight at the first answer, and single probes.
    expect(stage.api.stats().calls).toBeLessThan(60);
    stage.api.configure({ expiredCredentials: false });
    await expectRecovery(60);
  });
});

describe('missing credentials pause calls until they are obtained', () => {
  /** Errors of AWS's providers: they reject the call before any request is made. */
  const faults: [string, () => Error][] = [
    [
      'no provider has any',
      () =>
        Object.assign(new Error('Could not load credentials from any providers'), {
          name: 'CredentialsProviderError',
        }),
    ],
    [
      'STS rejects the web identity token',
      () =>
        Object.assign(new Error('Couldn’t retrieve verification key from your identity provider'), {
          name: 'InvalidIdentityTokenException',
          $fault: 'client',
          $metadata: { httpStatusCode: 400, requestId: 'sts-1' },
        }),
    ],
    [
      'STS denies the role',
      () =>
        Object.assign(new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity'), {
          name: 'AccessDenied',
          $fault: 'client',
          $metadata: { httpStatusCode: 403, requestId: 'sts-2' },
        }),
    ],
    [
      'the file of the web identity token is missing',
      () =>
        Object.assign(new Error("ENOENT: no such file or directory, open '/var/run/token'"), {
          code: 'ENOENT',
        }),
    ],
  ];

  test.each(faults)('%s', async (_what, fault) => {
    let healed = false;
    await setPausedStage(3, {
      apiClient: {
        credentials: async () => {
          if (!healed) throw fault();
          return credentials;
        },
      },
    });
    await stage.worker.start();
    await expectPause();
    expect(stage.api.stats().calls).toBe(0);
    healed = true;
    await expectRecovery(3);
  });

  test('credentials are awaited for CALL_TIMEOUT_MS at most, and then no message is dead-lettered', async () => {
    await setPausedStage(1, {
      env: { CALL_TIMEOUT_MS: '200', SHUTDOWN_GRACE_SECONDS: '1' },
      // A provider that never answers.
      apiClient: { credentials: () => new Promise<never>(() => {}) },
    });
    await stage.worker.start();
    const failures = () =>
      stage.events.flatMap((event) => (event.type === 'attempt' ? [event.failure?.name] : []));
    await expect
      .poll(() => failures()[0], { message: 'the call has not ended' })
      .toBe('CredentialsProviderError');
    expect(stage.worker.snapshot().gate).toBe('misconfigured');
  });
});

describe('a signature that does not match', () => {
  const token = 'IQoJb3JpZ2luX2VjEJr//////////wEaCWV1LXdlc3QtMSJHMEUCIQDsecret';
  const message = [
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ',
    'Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request ',
    `should have been\n'PUT\n/ota-tasks/task0\n\nhost:api\nx-amz-security-token:${token}\n\nhost\nabc'\n\n`,
    "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261123T070000Z\n'\n",
  ].join('');

  test.each<[string, ScriptedAnswer]>([
    ['in the case AWS uses', { status: 403, errorType: 'InvalidSignatureException', body: { message } }],
    [
      'in lower case',
      { status: 403, errorType: 'InvalidSignatureException', body: { message: message.toLowerCase() } },
    ],
    [
      'under the key Message',
      { status: 403, errorType: 'SignatureDoesNotMatch', body: { Message: message } },
    ],
  ])(
    'quotes the session token, which appears in no event, log line or reason (%s)',
    async (_what, answer) => {
      const { lines, listener } = memoryLog();
      await setPausedStage(3, {
        apiClient: { credentials: { ...credentials, sessionToken: token } },
        listeners: [listener],
      });
      stage.api.scriptAll(answer);
      await stage.worker.start();
      await expectPause();
      const heard = JSON.stringify(stage.events).toLowerCase();
      expect(heard).not.toContain(token.toLowerCase());
      const log = lines.join('').toLowerCase();
      expect(log).toContain('the request signature we calculated');
      expect(log).toContain('gate.misconfigured');
      expect(log).not.toContain(token.toLowerCase());
      expect(log).not.toContain('x-amz-security-token');
      expect(log).not.toContain(credentials.secretAccessKey);
      expect(JSON.stringify(stage.worker.snapshot()).toLowerCase()).not.toContain(token.toLowerCase());
      stage.api.scriptAll(null);
      await expectRecovery(3);
    },
  );
});
