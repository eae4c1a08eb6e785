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
    // A request may wait for something that knows no signal (credentials, say).
    return await Promise.race([request(controller.signal), aborted(controller.signal)]);
  } catch (error) {
    if (late) throw new DeadlineError(`no complete answer within ${timeoutMs} ms`);
    throw error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', onAbort);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
