import { expect, test } from 'vitest';
import { devicesText, outlookJson, stageText } from '../../../src/jobs/view/outlook-text.ts';

const outlook = { stage: undefined, waitsFor: undefined, now: 0, expectedEnd: undefined };
const at = Date.UTC(2026, 10, 28, 7);

test('what was seen of the devices is said with its time, and nothing where nobody has looked', () => {
  const devices = { ended: 5_000, failed: 300, at };
  expect(devicesText({ ...outlook, devices })).toBe(
    '5,000 ended, 300 of them failed, as of 2026-11-28 07:00:00 UTC',
  );
  expect(outlookJson({ ...outlook, devices })).toMatchObject({
    devices: { ended: 5_000, failed: 300, underWay: null, lookedAt: '2026-11-28T07:00:00.000Z' },
  });
  expect(devicesText({ ...outlook, devices: { ...devices, underWay: 1_200 } })).toBe(
    '5,000 ended, 300 of them failed, 1,200 under way, as of 2026-11-28 07:00:00 UTC',
  );
  expect(devicesText(outlook)).toBeUndefined();
  expect(outlookJson(outlook)).toMatchObject({ devices: null });
});

test.each([
  [undefined, 'the devices have been looked at'],
  [
    { tasks: 9, unnamed: 9, devices: 0, ended: 0, underWay: 0, least: 300 },
    'its devices are known: 9 of 9 tasks name none yet',
  ],
  [
    { tasks: 1, unnamed: 1, devices: 0, ended: 0, underWay: 0, least: 300 },
    'its devices are known: 1 of 1 task names none yet',
  ],
  [
    { tasks: 499, unnamed: 498, devices: 1, ended: 1, underWay: 0, least: 300 },
    'its devices are known: 498 of 499 tasks name none yet; 1 ended, 0 under way',
  ],
  [
    { tasks: 9, unnamed: 0, devices: 100, ended: 40, underWay: 60, least: 300 },
    '300 of its devices have ended or none is under way: 40 ended, 60 under way',
  ],
  [
    { tasks: 9, unnamed: 0, devices: 100, ended: 40, underWay: 60, least: undefined },
    'all of its devices have ended: 40 ended, 60 under way',
  ],
])('a stage that waits for its devices says for which, and how long: %j', (awaits, what) => {
  const stage = { number: { stage: 1, of: 2 }, ended: 10, end: 10, failed: 0 };
  const waitsFor = { for: 'verify', since: 0, until: 3_600_000, ...(awaits && { awaits }) } as const;
  expect(stageText({ ...outlook, stage, waitsFor, now: 600_000 })).toBe(
    `stage 1 of 2: 10 of 10 rows ended; continues when ${what}; otherwise it is paused in 50m`,
  );
  expect(outlookJson({ ...outlook, stage, waitsFor })).toMatchObject({
    waitsFor: 'verify',
    waitsUntil: '1970-01-01T01:00:00.000Z',
  });
});
