/** A process seen from outside, through the inspector that Node has built in: nothing is added to what it runs. */

/** Bytes, and how many of each kind of resource keep the event loop alive. */
export interface Sample {
  readonly heapUsed: number;
  readonly rss: number;
  readonly resources: Readonly<Record<string, number>>;
}

const EXPRESSION = `JSON.stringify({ ...process.memoryUsage(), resources: process.getActiveResourcesInfo() })`;

/**
 * Collects the garbage of a process and looks at what is left. Connects anew each time: a session that stays keeps
 * things alive.
 * @param url where its inspector listens: `ws://…`.
 */
export async function takeSample(url: string): Promise<Sample> {
  const socket = new WebSocket(url);
  const answers = new Map<number, (result: unknown) => void>();
  let id = 0;
  const failed = Promise.withResolvers<never>();
  socket.addEventListener('error', () => failed.reject(new Error(`no inspector at ${url}`)));
  socket.addEventListener('close', () => failed.reject(new Error('the inspector has gone')));
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (answer.id !== undefined) answers.get(answer.id)?.(answer.result);
  });
  const call = (method: string, params: object = {}): Promise<unknown> => {
    id++;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    answers.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
    return Promise.race([promise, failed.promise]);
  };
  failed.promise.catch(() => undefined);
  await Promise.race([new Promise((resolve) => socket.addEventListener('open', resolve)), failed.promise]);
  try {
    await call('HeapProfiler.collectGarbage');
    const evaluated = (await call('Runtime.evaluate', { expression: EXPRESSION })) as {
      result: { value: string };
    };
    const { heapUsed, rss, resources } = JSON.parse(evaluated.result.value) as {
      heapUsed: number;
      rss: number;
      resources: string[];
    };
    return { heapUsed, rss, resources: Object.fromEntries(countOf(resources)) };
  } finally {
    socket.close();
  }
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
