/** The addresses of the workers, from the environment. PURE. */
import { type Environment, readConfig } from '../../config.ts';

/** URLs of the workers' health listeners: from WORKER_URLS, else where a worker with this environment listens. */
export function workerUrlsOf(env: Environment): readonly string[] {
  const { workerUrls, httpHost, httpPort } = readConfig(env, ['workerUrls', 'httpHost', 'httpPort']);
  if (workerUrls !== undefined) return workerUrls;
  if (!httpPort) return [];
  const everywhere = httpHost === '0.0.0.0' || httpHost === '::';
  const host = everywhere ? '127.0.0.1' : httpHost.includes(':') ? `[${httpHost}]` : httpHost;
  return URL.canParse(`http://${host}:${httpPort}`) ? [`http://${host}:${httpPort}`] : [];
}
