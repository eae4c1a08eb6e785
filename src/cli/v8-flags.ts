/** Flags of V8 for a kind of work: set them before its modules are loaded. */
import { setFlagsFromString } from 'node:v8';

/**
 * For bulk jobs, which read a million rows and keep none. Without these flags V8 uses tens of megabytes more for
 * garbage. A young generation of fixed size does not slow down a plan of a million rows. Optimising for size
 * saves another third for `jobs apply` (50,000 rows: 128 MB instead of 183).
 */
export function keepMemoryFlat(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  // Without this compiler, the peak of a plan that reads its tasks is 132-136 MB instead of 136-145.
  setFlagsFromString('--no-maglev');
}

/**
 * For the worker, most of whose functions run once per update: V8 optimises them after 1,000 calls instead of 3,000, so
 * a worker reaches its full speed after 10,000 updates instead of 20,000 (docs/decisions/0006-hot-path.md).
 */
export function compileSooner(): void {
  setFlagsFromString('--invocation-count-for-turbofan=1000');
}
