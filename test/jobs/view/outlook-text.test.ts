import { expect, test } from 'vitest';
import { devicesText, outlookJson } from '../../../src/jobs/view/outlook-text.ts';

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
