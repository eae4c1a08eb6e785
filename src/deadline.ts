/** A bound on one request, to the last byte of its answer: the SDK's own timeouts end with the headers. */

/** The request took longer than it was given. */
export class DeadlineError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Runs `request` with a signal that aborts after `timeoutMs` or when `outer` aborts.
 * @throws DeadlineError when the time was up; else whatever `request` throws.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  request: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeoutMs);
  const onAbort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) onAbort();
  else outer?.addEventListener('abort', onAbort, { once: true });
  try {
    return await request(controller.signal);
  } catch (error) {
    if (late) throw new DeadlineError(`no complete answer within ${timeoutMs} ms`);
    throw error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', onAbort);
  }
}
