/** How much a shared budget may have granted by now, by Redis's clock: on a slow machine it is less, never more. */
import type { Redis } from 'ioredis';
import { BUDGET_KEY } from '../../src/ota/rate/budget.ts';

/** How far in the past a permit booked now may be due, in microseconds. */
const BURST_US = 20_000;

/**
 * Permits that may have been granted since this object was created: all that were booked since then and are due by now.
 * Create it before anybody books, and ask it after the grants were counted.
 */
export class Allowance {
  readonly #redis: Redis;
  #perSecond: number;
  /** No permit booked from now on is due before this. */
  #sinceUs: number;
  /** Number booked before that. */
  #before = 0;

  private constructor(redis: Redis, perSecond: number, nowUs: number) {
    this.#redis = redis;
    this.#perSecond = perSecond;
    this.#sinceUs = nowUs - BURST_US;
  }

  static async of(redis: Redis, perSecond: number): Promise<Allowance> {
    return new Allowance(redis, perSecond, microseconds(await redis.time()));
  }

  /** From now on all book at this rate. @param flush Redis loses everything at the same moment. */
  async change(perSecond: number, flush = false): Promise<void> {
    const commands = this.#redis.multi().hget(BUDGET_KEY, 'due').time();
    const answers = await (flush ? commands.flushall() : commands).exec();
    const [due, time] = (answers ?? []).map(([error, answer]) => {
      if (error !== null) throw error;
      return answer;
    });
    const dueUs = Number(due);
    this.#before += Math.max(0, dueUs - this.#sinceUs) * (this.#perSecond / 1_000_000);
    const burstUs = microseconds(time as string[]) - BURST_US;
    this.#sinceUs = flush ? burstUs : Math.max(dueUs, burstUs);
    this.#perSecond = perSecond;
  }

  /** @param grant maximum permits of one booking: the last one may extend beyond the elapsed time. */
  async most(grant: number): Promise<number> {
    const passedUs = microseconds(await this.#redis.time()) - this.#sinceUs;
    return this.#before + Math.max(0, passedUs) * (this.#perSecond / 1_000_000) + grant;
  }
}

/** Redis's answer to TIME. */
function microseconds([seconds, rest]: readonly (string | number)[]): number {
  return Number(seconds) * 1_000_000 + Number(rest);
}
