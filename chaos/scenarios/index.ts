/** The scenarios by name. */
import { fifo } from './fifo.ts';
import { outage } from './outage.ts';
import { revoked } from './revoked.ts';
import type { Scenario } from './scenario.ts';
import { sqsDown } from './sqs-down.ts';
import { throttledLease } from './throttled-lease.ts';

export const scenarios: Readonly<Record<string, Scenario>> = {
  'throttled-lease': throttledLease,
  outage,
  revoked,
  fifo,
  'sqs-down': sqsDown,
};
