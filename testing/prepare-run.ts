/** What a test run creates once, before the first test. */
import { makeTemplate } from './postgres/server.ts';
import { buildProgram } from './processes/build-program.ts';

/** Called by vitest. @returns a function that vitest calls after the last test. */
export async function setup(): Promise<() => void> {
  const [removeTemplate] = await Promise.all([makeTemplate(), buildProgram()]);
  return removeTemplate;
}
