import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Failure } from '../../src/message/failure.ts';
import { Gate } from '../../src/ota/gate.ts';
import { type PermitRequest, Permits } from '../../src/ota/permits.ts';
import type { RateLimiter } from '../../src/ota/rate/limiter.ts';

const down: Failure = { kind: 'retryable', name: 'InternalServerException', message: 'down', status: 500 };

/** A limiter of which every grant is given by hand. */
class HandLimiter implements RateLimiter {
  rate: number;
  readonly ceiling: number;
  readonly part: number;
  readonly budget = 'none';
  readonly budgetMs = 0;
  /** How many permits each grant that was asked for should hold. */
  readonly wanted: number[] = [];
  /** What the next grant rejects with. */
  fault: Error | undefined;
  readonly #asked: ((permits: number) => void)[] = [];

  constructor(rate: number) {
    this.rate = rate;
    this.ceiling = rate;
    this.part = rate;
  }

  get intervalMs(): number {
    return 1_000 / this.rate;
  }

  /** Grants asked for and not given. */
  get asked(): number {
    return this.#asked.length;
  }

  grant(wanted: number): Promise<number> {
    this.wanted.push(wanted);
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) return Promise.reject(fault);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
    });
  }

  async give(permits: number): Promise<void> {
    const resolve = this.#asked.shift();
    if (resolve === undefined) throw new Error('no grant was asked for');
    resolve(permits);
    await flush();
  }

  setCeiling(): void {}

  setRate(rate: number): void {
    this.rate = rate;
  }

  async close(): Promise<void> {}
}

const flush = () => vi.advanceTimersByTimeAsync(0);

function setUp({ rate = Number.POSITIVE_INFINITY, maxConcurrency = 100 } = {}) {
  const limiter = new HandLimiter(rate);
  const gate = new Gate({
    runLimit: 0,
    schedules: {
      outage: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
      denied: { firstMs: 10_000, factor: 2, maxMs: 40_000 },
      untried: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
      misconfigured: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
      unreachable: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
    },
    now: Date.now,
    onChange: () => permits.pump(),
  });
  const hold = {
    held: false,
    set(held: boolean) {
      hold.held = held;
      permits.pump();
    },
  };
  const overdue: { readonly overdue: boolean; readonly error?: unknown }[] = [];
  const permits: Permits = new Permits({
    limiter,
    gate,
    hold,
    maxConcurrency,
    now: Date.now,
    onOverdue: (is, error) => overdue.push({ overdue: is, ...(error !== undefined && { error }) }),
  });
  const granted: string[] = [];
  const refused: string[] = [];
  const requests = new Map<string, PermitRequest>();
  const ask = (...names: string[]) => {
    for (const name of names) {
      const request = permits.request();
      requests.set(name, request);
      void request.granted.then((yes) => (yes ? granted : refused).push(name));
    }
  };
  const of = (name: string): PermitRequest => {
    const request = requests.get(name);
    if (request === undefined) throw new Error(`no request ${name}`);
    return request;
  };
  return {
    limiter,
    gate,
    hold,
    permits,
    overdue,
    granted,
    refused,
    ask,
    release: (name: string) => permits.release(of(name)),
    returnUnused: (name: string) => permits.returnUnused(of(name)),
    cancel: (name: string) => permits.cancel(of(name)),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a permit returned unused', () => {
  test("is the next one's in line, without another grant", async () => {
    const { limiter, permits, ask, granted, returnUnused } = setUp({ rate: 10 });
    ask('a', 'b', 'c');
    await limiter.give(1);
    expect(granted).toEqual(['a']);
    returnUnused('a');
    await flush();
    expect(granted).toEqual(['a', 'b']);
    expect([permits.inFlight, permits.waiting, limiter.asked]).toEqual([1, 1, 1]);
  });

  test('makes room for another call when unpaced', async () => {
    const { permits, ask, granted, returnUnused } = setUp({ maxConcurrency: 1 });
    ask('a', 'b');
    returnUnused('a');
    await flush();
    expect(granted).toEqual(['a', 'b']);
    expect(permits.inFlight).toBe(1);
  });
});

describe('concurrency', () => {
  test('lets no more calls fly than it may, and the next when one lands', async () => {
    const { permits, ask, granted, release } = setUp({ maxConcurrency: 2 });
    ask('a', 'b', 'c', 'd');
    await flush();
    expect(granted).toEqual(['a', 'b']);
    expect([permits.inFlight, permits.waiting]).toEqual([2, 2]);

    release('b');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c']);
    release('a');
    release('c');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
    expect([permits.inFlight, permits.waiting]).toEqual([1, 0]);
  });

  test('asks for no grant while there is no place for a call', async () => {
    const { limiter, ask, release } = setUp({ rate: 10, maxConcurrency: 1 });
    ask('a', 'b');
    await limiter.give(1);
    expect(limiter.asked).toBe(0);
    release('a');
    await flush();
    expect(limiter.asked).toBe(1);
  });
});

describe('rate', () => {
  test('hands out no more than was granted, first come, first served', async () => {
    const { limiter, ask, granted } = setUp({ rate: 200 });
    ask('a', 'b', 'c', 'd', 'e');
    await flush();
    expect(granted).toEqual([]);
    await limiter.give(2);
    expect(granted).toEqual(['a', 'b']);
    await limiter.give(2);
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
    await limiter.give(2);
    expect(granted).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('asks for one grant at a time and for none that nobody wants', async () => {
    const { limiter, ask } = setUp({ rate: 10 });
    expect(limiter.asked).toBe(0);
    ask('a', 'b', 'c');
    expect(limiter.asked).toBe(1);
    await limiter.give(1);
    expect(limiter.asked).toBe(1);
    await limiter.give(1);
    await limiter.give(1);
    expect(limiter.asked).toBe(0);
  });

  test('keeps what is left of a grant for those to come, and adds no other to it', async () => {
    const { limiter, ask, granted } = setUp({ rate: 500 });
    ask('a');
    await limiter.give(3);
    ask('b', 'c');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c']);
    ask('d');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c']);
    expect(limiter.asked).toBe(1);
  });

  test('says how many permits are wanted: by all in line, or by one probe', async () => {
    const { limiter, ask } = setUp({ rate: 10 });
    ask('a', 'b', 'c');
    await limiter.give(1);
    await limiter.give(1);
    expect(limiter.wanted).toEqual([1, 2, 1]);

    const closed = setUp({ rate: 10 });
    closed.gate.close('outage', down);
    closed.ask('a', 'b', 'c');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(closed.limiter.wanted).toEqual([1]);
  });

  test('waits for no grant when unpaced', async () => {
    const { limiter, ask, granted } = setUp();
    ask('a', 'b', 'c');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c']);
    expect(limiter.asked).toBe(0);
  });

  test('is paced from the moment a rate is set', async () => {
    const { limiter, ask, granted } = setUp();
    ask('a');
    limiter.setRate(10);
    ask('b');
    await flush();
    expect(granted).toEqual(['a']);
    await limiter.give(1);
    expect(granted).toEqual(['a', 'b']);
  });

  test('is paced again after an unpaced grant', async () => {
    const { limiter, ask, granted } = setUp({ rate: 10 });
    ask('a');
    limiter.setRate(Number.POSITIVE_INFINITY);
    await limiter.give(Number.POSITIVE_INFINITY);
    expect(granted).toEqual(['a']);

    limiter.setRate(10);
    ask('b', 'c');
    await flush();
    expect(granted).toEqual(['a']);
    expect(limiter.asked).toBe(1);
  });

  test('asks no more once the limiter is closed', async () => {
    const { limiter, ask, granted } = setUp({ rate: 10 });
    ask('a');
    await limiter.give(0);
    expect(granted).toEqual([]);
    expect(limiter.asked).toBe(0);
  });
});

describe('a permit that does not come', () => {
  test('is overdue after 10 s and three intervals of a grant, until one comes', async () => {
    const { limiter, ask, overdue } = setUp({ rate: 1 });
    ask('a', 'b');
    await vi.advanceTimersByTimeAsync(12_900);
    expect(overdue).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(overdue).toEqual([{ overdue: true }]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(overdue).toHaveLength(1);
    await limiter.give(1);
    expect(overdue).toEqual([{ overdue: true }, { overdue: false }]);
    // And again.
    await vi.advanceTimersByTimeAsync(13_100);
    expect(overdue.at(-1)).toEqual({ overdue: true });
  });

  test('is not overdue at a low rate', async () => {
    const { limiter, ask, overdue } = setUp({ rate: 0.1 });
    ask('a', 'b');
    for (let i = 0; i < 2; i++) {
      await vi.advanceTimersByTimeAsync(30_000);
      await limiter.give(1);
    }
    expect(overdue).toEqual([]);
  });

  test.each([
    { name: 'nobody wants it', end: ({ cancel }: ReturnType<typeof setUp>) => cancel('a') },
    { name: 'the gate is closed', end: ({ gate }: ReturnType<typeof setUp>) => gate.close('outage', down) },
    { name: 'calls are held', end: ({ hold }: ReturnType<typeof setUp>) => hold.set(true) },
  ])('is not overdue while $name', async ({ end }) => {
    const all = setUp({ rate: 10 });
    all.ask('a');
    await vi.advanceTimersByTimeAsync(9_000);
    end(all);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(all.overdue).toEqual([]);
    if (all.permits.paused) return;
    // Wanted anew: counted anew.
    all.ask('b');
    await vi.advanceTimersByTimeAsync(9_000);
    expect(all.overdue).toEqual([]);
  });

  test('because the limiter fails: it is asked again, and the error is told', async () => {
    const { limiter, ask, overdue, granted } = setUp({ rate: 10 });
    limiter.fault = new Error('a bug');
    ask('a');
    await flush();
    expect(overdue).toEqual([{ overdue: true, error: new Error('a bug') }]);
    await vi.advanceTimersByTimeAsync(1_000);
    await limiter.give(1);
    expect(granted).toEqual(['a']);
    expect(overdue.at(-1)).toEqual({ overdue: false });
  });

  test('leaves no timer behind when closed', async () => {
    const { limiter, permits, ask } = setUp({ rate: 10 });
    limiter.fault = new Error('a bug');
    ask('a');
    await flush();
    permits.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('leaving', () => {
  test('takes a cancelled request out of the line', async () => {
    const { permits, limiter, ask, granted, refused, cancel } = setUp({ rate: 10 });
    ask('a', 'b', 'c');
    cancel('a');
    cancel('b');
    await flush();
    expect(refused).toEqual(['a', 'b']);
    expect(permits.waiting).toBe(1);
    await limiter.give(1);
    expect(granted).toEqual(['c']);
  });

  test('leaves a granted request granted', async () => {
    const { permits, ask, granted, refused, cancel } = setUp();
    ask('a');
    cancel('a');
    await flush();
    expect([granted, refused]).toEqual([['a'], []]);
    expect(permits.inFlight).toBe(1);
  });

  test('refuses all in line and all to come when closed; calls in flight end as they would', async () => {
    const { permits, ask, granted, refused, release } = setUp({ maxConcurrency: 1 });
    ask('a', 'b', 'c');
    permits.close();
    ask('d');
    await flush();
    expect([granted, refused]).toEqual([['a'], ['b', 'c', 'd']]);
    release('a');
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('gives nothing for a grant that comes after it was closed', async () => {
    const { permits, limiter, ask, granted } = setUp({ rate: 10 });
    ask('a');
    permits.close();
    await limiter.give(5);
    ask('b');
    await flush();
    expect(granted).toEqual([]);
  });
});

describe('while calls are held', () => {
  test('no permit is given and no grant asked for; then permits come as they are granted', async () => {
    const { limiter, hold, ask, granted } = setUp({ rate: 10 });
    hold.set(true);
    ask('a', 'b');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([granted, limiter.asked]).toEqual([[], 0]);
    hold.set(false);
    expect(limiter.asked).toBe(1);
    await limiter.give(1);
    expect(granted).toEqual(['a']);
  });

  test('calls do not begin at no limit either', async () => {
    const { hold, ask, granted } = setUp();
    hold.set(true);
    ask('a', 'b');
    await flush();
    expect(granted).toEqual([]);
    hold.set(false);
    await flush();
    expect(granted).toEqual(['a', 'b']);
  });

  test('permits granted before, returned unused or still on their way are dropped: none is saved up', async () => {
    const { limiter, hold, ask, granted, returnUnused } = setUp({ rate: 500 });
    ask('a');
    await limiter.give(3);
    ask('b', 'c', 'd');
    await flush();
    expect([granted, limiter.asked]).toEqual([['a', 'b', 'c'], 1]);
    hold.set(true);
    returnUnused('b');
    await flush();
    await limiter.give(5);
    ask('e');
    await flush();
    hold.set(false);
    await flush();
    expect([granted, limiter.asked]).toEqual([['a', 'b', 'c'], 1]);
    await limiter.give(5);
    expect(granted).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('no probe is made; the one that is due comes after it', async () => {
    const { gate, hold, ask, granted } = setUp();
    gate.close('outage', down);
    ask('a', 'b');
    hold.set(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(granted).toEqual([]);
    hold.set(false);
    await flush();
    expect(granted).toEqual(['a']);
  });

  test('calls are paused, as they are while the gate is closed', () => {
    const { gate, hold, permits } = setUp();
    expect(permits.paused).toBe(false);
    hold.set(true);
    expect(permits.paused).toBe(true);
    hold.set(false);
    gate.close('outage', down);
    expect(permits.paused).toBe(true);
  });

  test('a request leaves the line as ever', async () => {
    const { hold, ask, refused, cancel, permits } = setUp();
    hold.set(true);
    ask('a', 'b');
    cancel('a');
    permits.close();
    await flush();
    expect(refused).toEqual(['a', 'b']);
  });
});

describe('a probe', () => {
  test('goes out one at a time, each at its hour, while the gate is closed', async () => {
    const { gate, ask, granted, release } = setUp();
    gate.close('outage', down);
    ask('a', 'b', 'c');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(granted).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toEqual(['a']);

    await vi.advanceTimersByTimeAsync(60_000);
    expect(granted).toEqual(['a']);

    release('a');
    await flush();
    expect(granted).toEqual(['a', 'b']);
    release('b');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(granted).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toEqual(['a', 'b', 'c']);
  });

  test('tries another one next, because who failed goes to the end of the line', async () => {
    const { gate, ask, granted, release } = setUp();
    gate.close('outage', down);
    ask('a', 'b');
    await vi.advanceTimersByTimeAsync(5_000);
    ask('a again');
    release('a');
    await vi.advanceTimersByTimeAsync(5_000);
    release('b');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(granted).toEqual(['a', 'b', 'a again']);
  });

  test('lets everybody go when the gate opens', async () => {
    const { gate, ask, granted } = setUp();
    gate.close('outage', down);
    ask('a', 'b', 'c');
    await flush();
    gate.observe('z1');
    await flush();
    expect(granted).toEqual(['a', 'b', 'c']);
  });

  test('follows the slower schedule of the state it is in', async () => {
    const { gate, ask, granted, release } = setUp();
    gate.close('denied', down);
    ask('a', 'b', 'c');
    await vi.advanceTimersByTimeAsync(10_000);
    release('a');
    await vi.advanceTimersByTimeAsync(10_000);
    release('b');
    await vi.advanceTimersByTimeAsync(19_999);
    expect(granted).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toEqual(['a', 'b', 'c']);
  });

  test('is for an Identifier that was not denied yet before one that was', async () => {
    const { gate, permits, granted } = setUp();
    gate.observe('a1', { ...down, kind: 'denied' });
    gate.close('denied', down);
    for (const identifier of ['a1', 'b1', 'a1', 'b2']) {
      const request = permits.request(identifier);
      void request.granted.then(() => {
        granted.push(identifier);
        gate.observe(identifier, { ...down, kind: 'denied' });
        permits.release(request);
      });
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(granted).toEqual(['b1', 'b2']);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(granted).toEqual(['b1', 'b2', 'a1']);
  });

  test('is for an Identifier that was not probed yet before one that failed, whoever came first', async () => {
    const { gate, permits, granted } = setUp();
    gate.close('outage', down);
    gate.observe('a1', down);
    for (const identifier of ['a1', 'b1', 'b2']) {
      const request = permits.request(identifier);
      void request.granted.then(() => {
        granted.push(identifier);
        gate.observe(identifier, down);
        permits.release(request);
      });
    }
    await vi.advanceTimersByTimeAsync(15_000);
    expect(granted).toEqual(['b1', 'b2', 'a1']);
  });

  test('waits also for a grant and for a place', async () => {
    const { gate, limiter, ask, granted } = setUp({ rate: 10 });
    gate.close('outage', down);
    ask('a', 'b');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(granted).toEqual([]);
    await limiter.give(3);
    expect(granted).toEqual(['a']);
  });

  test('does not take a call that was in flight when the gate closed for a probe', async () => {
    const { gate, ask, granted, release } = setUp({ maxConcurrency: 2 });
    ask('a');
    gate.close('outage', down);
    ask('b', 'c');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(granted).toEqual(['a', 'b']);
    release('a');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(granted).toEqual(['a', 'b']);
  });

  test('comes at its time for a request that joined the line in between', async () => {
    const { gate, ask, granted, cancel } = setUp();
    gate.close('outage', down);
    ask('a');
    cancel('a');
    await vi.advanceTimersByTimeAsync(3_000);
    ask('b');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(granted).toEqual(['b']);
  });

  test('leaves no timer behind when closed', async () => {
    const { permits, gate, ask } = setUp();
    gate.close('outage', down);
    ask('a');
    expect(vi.getTimerCount()).toBe(1);
    permits.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
