/** Flags of V8 for a kind of work: to be set before its modules are loaded. */
import { setFlagsFromString } from 'node:v8';

/**
 * For bulk jobs, which read a million rows and keep none. Without these flags V8 uses tens of megabytes more for their
 * garbage. A plan of a million rows takes no longer with a young generation that does not grow, and optimising for size
 * saves `jobs apply` another third (50,000 rows: 128 MB instead of 183).
 */
export function keepMemoryFlat(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  // One compiler less: the peak of a plan that reads its tasks is 132-136 MB instead of 136-145.
  setFlagsFromString('--no-maglev');
}

/**
 * For the worker, most of whose functions run once per update: V8 optimises them after 1,000 calls instead of 3,000, so
 * that a worker reaches its full speed after 10,000 updates instead of 20,000 (docs/decisions/0006-hot-path.md).
 */
export function compileSooner(): void {
  setFlagsFromString('--invocation-count-for-turbofan=1000');
}
