/**
 * When a test counts as hung. Only what never comes ends by these limits, so they cost nothing while tests pass: a busy machine can
 * take a hundred times as long as an idle one. In milliseconds.
 */

/** For a whole test, or what is done before or after it. */
export const HANGS_MS = 600_000;
/** For one thing that a test waits for: shorter, so that the test says which one never came. */
export const NEVER_CAME_MS = 200_000;
