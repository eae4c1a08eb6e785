import type { FastifyReply } from 'fastify';
import type { Answer } from './answers.ts';
import type { Decision } from './service.ts';

/** Resolves after `ms` milliseconds. */
export type Sleep = (ms: number) => Promise<void>;

/**
 * Answers a request as decided, after the delay. `ended` is called once: just before the answer is sent, or when the
 * client closes the connection, whichever is first.
 */
export function respond(reply: FastifyReply, decision: Decision, sleep: Sleep, ended: () => void): void {
  const { ending, delayMs } = decision;
  if (delayMs <= 0 && ending !== 'hang') {
    ended();
    finish(reply, ending);
    return;
  }
  const watch = watchClient(reply, ended);
  if (ending === 'hang') {
    reply.hijack();
    return;
  }
  const awake = (send: () => void) => {
    if (watch.clientLeft()) {
      reply.hijack();
      return;
    }
    watch.stop();
    ended();
    send();
  };
  sleep(delayMs).then(
    () => awake(() => finish(reply, ending)),
    (error: unknown) => awake(() => reply.send(error)),
  );
}

/** The header that the API's answers, and only they, have. */
export const REQUEST_ID = 'x-amzn-requestid';

export function sendAnswer(reply: FastifyReply, answer: Answer): void {
  if (answer.foreign) reply.removeHeader(REQUEST_ID);
  reply
    .code(answer.status)
    .headers(answer.headers)
    .send(answer.body ?? undefined);
}

function finish(reply: FastifyReply, ending: Answer | 'reset'): void {
  if (ending !== 'reset') {
    sendAnswer(reply, ending);
    return;
  }
  reply.hijack();
  reply.raw.socket?.resetAndDestroy();
}

/** Calls `left` once, when the client closes its side or the connection breaks. */
function watchClient(reply: FastifyReply, left: () => void) {
  const socket = reply.raw.socket;
  let gone = false;
  // 'end' precedes 'close': otherwise the client's next call, on another connection, could arrive first.
  const events = ['end', 'error', 'close'] as const;
  const stop = () => {
    for (const event of events) socket?.off(event, leave);
  };
  const leave = () => {
    gone = true;
    stop();
    left();
  };
  if (socket === null || socket.destroyed) leave();
  else for (const event of events) socket.once(event, leave);
  return { clientLeft: () => gone, stop };
}
