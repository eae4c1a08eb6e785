/** How V8 is set for a kind of work: to be called before the work's modules are loaded. */
import { setFlagsFromString } from 'node:v8';

/**
 * For bulk jobs, which pass a million rows through and keep none. Left to itself V8 takes tens of megabytes more for
 * their garbage; with a young generation that does not grow, a plan of a million rows takes no longer, and a heap that
 * is kept small saves `jobs apply` another third (50,000 rows: 128 MB instead of 183).
 */
export function keepMemoryFlat(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  // One compiler less at work: the peak of a plan that reads its tasks is 132-136 MB instead of 136-145.
  setFlagsFromString('--no-maglev');
}

/**
 * For the worker, whose every function runs once an update: V8 compiles them for good after 1,000 calls instead of
 * 3,000, so that a worker is at full speed after 10,000 updates instead of 20,000 (docs/decisions/0006-hot-path.md).
 */
export function compileSooner(): void {
  setFlagsFromString('--invocation-count-for-turbofan=1000');
}
