/** The worker's own check of an update. PURE. */
import { checkUpdate } from '../../../src/message/update.ts';

/**
 * What the worker would say of an update.
 * @param value untrusted.
 * @param now epoch milliseconds: `IssuedAt` may lie five minutes after it at most.
 * @returns a sentence that names each invalid field and what is wrong with it; undefined: it is valid. Never throws.
 */
export function faultOf(value: unknown, now: number): string | undefined {
  const check = checkUpdate(value, now);
  return check.ok ? undefined : check.message;
}
