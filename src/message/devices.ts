/** How far the devices behind a task are with an update. PURE. */

/** The states of a device, in the order in which they are displayed. */
export const deviceStates = [
  'queued',
  'in-progress',
  'succeeded',
  'failed',
  'timed-out',
  'rejected',
  'removed',
  'canceled',
] as const;
export type DeviceState = (typeof deviceStates)[number];

/** Devices by state. */
export type DeviceCounts = Readonly<Record<DeviceState, number>>;

export function countsOf(count: (state: DeviceState) => number): DeviceCounts {
  return Object.fromEntries(deviceStates.map((state) => [state, count(state)])) as DeviceCounts;
}

/** States of devices that did not take the update. Removed and canceled ones never tried: they neither failed nor ended. */
const failedStates: readonly DeviceState[] = ['failed', 'timed-out', 'rejected'];

export function isFailed(state: DeviceState): boolean {
  return failedStates.includes(state);
}

/** How many devices have ended, and how many of these failed. */
export function deviceEnds(devices: DeviceCounts): { readonly ended: number; readonly failed: number } {
  const failed = failedStates.reduce((sum, state) => sum + devices[state], 0);
  return { ended: devices.succeeded + failed, failed };
}

/** Devices that have not ended. */
export function underWay(devices: DeviceCounts): number {
  return devices.queued + devices['in-progress'];
}
