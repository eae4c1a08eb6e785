/** The JSON output of `jobs verify`, for docs/reference/json.md. */
import { VerificationSum } from '../../src/jobs/verify/sum.ts';
import { verificationJson } from '../../src/jobs/verify/view.ts';
import { countsOf } from '../../src/message/devices.ts';
import type { Shape } from './shape.ts';

/** A verification of one task that now has another configuration, and one of whose devices failed. */
function verification(): unknown {
  const sum = new VerificationSum(Date.UTC(2026, 10, 28, 7, 30));
  const devices = { ...countsOf(() => 0), succeeded: 9, failed: 1, 'in-progress': 2 };
  const answer = { ok: true as const, value: { TaskConfigurationId: 'cfgC1' } };
  const row = { Row: 17, Identifier: 'pump17', TaskConfigurationId: 'cfgB7', end: {} };
  sum.add(row, answer, devices, '');
  sum.addFailedDevice({ identifier: 'pump17', thing: 'thing3', state: 'failed' });
  return JSON.parse(verificationJson('2026-11-fleet-b7', sum.result(true)));
}

export const verifyShape: Shape = {
  title: 'jobs verify --json',
  about: 'With `--watch` a line for each look.',
  sample: verification(),
  fields: {
    job: 'name of the job',
    at: 'when it was begun to look',
    whole: 'whether every applied row was looked at',
    tasks: 'tasks that were read',
    'devices.queued': 'devices of these tasks by state: not begun',
    'devices.in-progress': 'at work',
    'devices.succeeded': 'updated',
    'devices.failed': 'failed',
    'devices.timed-out': 'took too long',
    'devices.rejected': 'refused it',
    'devices.removed': 'taken out of the task',
    'devices.canceled': 'cancelled before they began',
    devicesUnderWay: 'queued or in progress',
    devicesEnded: 'succeeded, failed, timed out or rejected: what a rule on devices counts as ended',
    devicesFailed: 'failed, timed out or rejected: what it counts as failed',
    'worst[].row': 'the tasks with most failed devices, ten at most: the row',
    'worst[].identifier': 'the task',
    'worst[].ended': 'its devices that have ended',
    'worst[].failed': 'of these, failed',
    'failedDevices[].identifier': 'with `--executions` some devices that failed: the task',
    'failedDevices[].thing': 'the device',
    'failedDevices[].state': '`failed`, `timed-out` or `rejected`',
    notHolding: 'tasks that no longer hold what the job set',
    'someNotHolding[].row': 'ten of them at most: the row',
    'someNotHolding[].identifier': 'the task',
    'someNotHolding[].field': '`Description` or `TaskConfigurationId`',
    'someNotHolding[].set': 'what the job set',
    'someNotHolding[].now': 'what the task has; `""` for nothing',
    gone: 'tasks that are there no more',
    unread: 'tasks that could not be read',
    unreadWhy: 'why the last of them could not, or null',
  },
};
