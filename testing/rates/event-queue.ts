/** Events in virtual time: a binary heap by time; equal times in order of entry. Times are milliseconds. */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: (now: number) => void;
}

export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;

  add(at: number, run: (now: number) => void): void {
    const heap = this.#heap;
    const event = { at, order: this.#order++, run };
    let i = heap.length;
    for (;;) {
      const above = (i - 1) >> 1;
      const parent = i > 0 ? heap[above] : undefined;
      if (parent === undefined || before(parent, event)) break;
      heap[i] = parent;
      i = above;
    }
    heap[i] = event;
  }

  /** Runs events in order, including those added meanwhile, up to and including the time `until`. */
  run(until: number): void {
    for (let event = this.#heap[0]; event !== undefined && event.at <= until; event = this.#heap[0]) {
      this.#removeFirst();
      event.run(event.at);
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let least = heap[child];
      const right = heap[child + 1];
      if (least !== undefined && right !== undefined && before(right, least)) {
        least = right;
        child++;
      }
      if (least === undefined || before(last, least)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
