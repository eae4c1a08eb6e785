/** Which queue a failed request was for: the SDK's errors do not say. */
import type { Queue } from '../../queue/queue.ts';

export class Blame {
  readonly #queues = new WeakMap<object, Queue>();

  /** The same queue; of what its requests fail with, {@link queueOf} knows the queue. */
  watch(queue: Queue): Queue {
    const remember = (error: unknown): never => {
      if (typeof error === 'object' && error !== null) this.#queues.set(error, queue);
      throw error;
    };
    return new Proxy(queue, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const answer: unknown = value.apply(target, args);
          return answer instanceof Promise ? answer.catch(remember) : answer;
        };
      },
    });
  }

  queueOf(error: unknown): Queue | undefined {
    return typeof error === 'object' && error !== null ? this.#queues.get(error) : undefined;
  }
}
