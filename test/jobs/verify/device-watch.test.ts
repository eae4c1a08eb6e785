import { expect, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { DeviceWatch } from '../../../src/jobs/verify/device-watch.ts';
import { type JudgedVerification, VerificationSum } from '../../../src/jobs/verify/sum.ts';

const onDevices: JobSettings = {
  abortWhen: [{ of: 'devices', limit: { share: 0.05, least: 500 } }],
};
const seenOfNone = {
  judged: { after: 0, ended: 0, failed: 0 },
  stage: { tasks: 0, unnamed: 0, devices: 0, ended: 0, underWay: 0, lastSent: 0 },
};
/** @param since when its stage has begun to wait for a look. */
const jobWith = (settings: JobSettings, since?: number): PlannedJob => {
  const progress = since === undefined ? beginning : { ...beginning, waitsFor: 'verify' as const, since };
  return { jobId: 'j', plan: { settings, progress } } as PlannedJob;
};

/** A watch whose looks the test ends. */
function watch() {
  const clock = { now: 1_000 };
  const looks: {
    readonly end: (found: JudgedVerification | Error) => Promise<void>;
    readonly signal: AbortSignal;
  }[] = [];
  const told: string[] = [];
  let seen = 0;
  const devices = new DeviceWatch({
    verify: (_job, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(verification(0, false)));
        looks.push({
          signal,
          end: async (found) => {
            if (found instanceof Error) reject(found);
            else resolve(found);
            await new Promise((done) => setImmediate(done));
          },
        });
      }),
    now: () => clock.now,
    onSeen: () => {
      seen++;
    },
    onTrouble: (sentence) => told.push(sentence),
  });
  return { devices, clock, looks, told, seen: () => seen };
}

function verification(at: number, whole = true): JudgedVerification {
  return new VerificationSum(at).result(whole);
}

test('looks for a rule on devices, one look at a time, ten seconds or as long as a look takes apart', async () => {
  const { devices, clock, looks, seen } = watch();
  const job = jobWith(onDevices);
  for (let i = 0; i < 3; i++) devices.look(job, undefined);
  expect(looks).toHaveLength(1);
  clock.now += 25_000;
  await looks[0]?.end(verification(5));
  expect(devices.seen).toEqual({ at: 5, ended: 0, failed: 0, underWay: 0, ...seenOfNone });
  expect(seen()).toBe(1);
  clock.now += 24_999;
  devices.look(job, undefined);
  expect(looks).toHaveLength(1);
  clock.now += 1;
  devices.look(job, undefined);
  expect(looks).toHaveLength(2);
  await looks[1]?.end(verification(6));
  clock.now += 9_999;
  devices.look(job, undefined);
  clock.now += 1;
  devices.look(job, undefined);
  expect(looks).toHaveLength(3);
});

test('does not look where nobody asks for it', () => {
  const { devices, looks } = watch();
  devices.look(jobWith({}), undefined);
  devices.look(jobWith({ abortWhen: [{ of: 'rows', limit: { count: 1 } }] }), { for: 'word' });
  expect(looks).toHaveLength(0);
});

test('looks at once for a stage that waits for it, whatever clocks say, and once: then after a pause', async () => {
  const { devices, clock, looks } = watch();
  const job = jobWith(onDevices);
  devices.look(job, undefined);
  // By the clock of who looks it was begun after the wait, which another sender has begun, whose clock is ahead.
  await looks[0]?.end(verification(9_000));
  for (const since of [8_000, 99_000]) {
    const before = looks.length;
    const waiting = [jobWith(onDevices, since), { for: 'verify', since }] as const;
    devices.look(...waiting);
    expect(looks).toHaveLength(before + 1);
    await looks.at(-1)?.end(verification(9_000));
    expect(devices.seen?.inWait).toBe(since);
    devices.look(...waiting);
    clock.now += 9_999;
    devices.look(...waiting);
    expect(looks).toHaveLength(before + 1);
    clock.now += 1;
    devices.look(...waiting);
    expect(looks).toHaveLength(before + 2);
    await looks.at(-1)?.end(verification(9_000));
  }
});

test('tells why it could not look, once, and tries again later', async () => {
  const { devices, clock, looks, told, seen } = watch();
  const job = jobWith(onDevices, 1);
  const wait = { for: 'verify', since: 1 } as const;
  const unread = { ...verification(5, false), unreadWhy: 'GetOtaTask is denied' };
  for (const found of [
    new Error('no region is set.'),
    new Error('no region is set.'),
    unread,
    verification(9),
  ]) {
    devices.look(job, wait);
    devices.look(job, wait);
    await looks.at(-1)?.end(found);
    devices.look(job, wait);
    clock.now += 10_000;
  }
  expect(looks).toHaveLength(4);
  expect(told).toEqual([
    'Not all devices of job j could be looked at: no region is set',
    'Not all devices of job j could be looked at: GetOtaTask is denied',
  ]);
  expect(seen()).toBe(1);
  expect(devices.seen).toEqual({ at: 9, inWait: 1, ended: 0, failed: 0, underWay: 0, ...seenOfNone });
});

test('gives up a look when it is closed, and looks no more', async () => {
  const { devices, looks, seen } = watch();
  devices.look(jobWith(onDevices), undefined);
  await devices.close();
  expect(looks[0]?.signal.aborted).toBe(true);
  devices.look(jobWith(onDevices), { for: 'verify', since: 1 });
  expect(looks).toHaveLength(1);
  expect(seen()).toBe(0);
});
