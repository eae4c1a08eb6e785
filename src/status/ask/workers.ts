/** Asks every worker for its status, by a list or by a name that resolves to several addresses. Never throws. */
import { lookup } from 'node:dns/promises';
import { type ClientRequest, get as httpGet, type RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { LookupFunction } from 'node:net';
import { causeOf } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import type { AskedWorker } from '../status.ts';
import { readWorkerStatus } from '../worker-status.ts';

/** The longest wait for a name to resolve, and for a whole answer, in milliseconds. */
const PATIENCE_MS = 3_000;
/** A status has about 2 kB. */
const MAX_ANSWER_BYTES = 262_144;
/** The most addresses asked, of all names together. */
const MAX_ADDRESSES = 200;

/** All addresses of a name; an address gives itself. */
type ResolveName = (
  name: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface Address {
  readonly url: URL;
  readonly address: string;
  readonly family: number;
}

/**
 * @param urls of the health listeners; a name is asked at each of its addresses.
 * @param resolveName default: the system's resolver.
 * @returns each worker once, however many of its addresses were asked.
 */
export async function askWorkers(
  urls: readonly string[],
  signal: AbortSignal,
  resolveName: ResolveName = (name) => lookup(name, { all: true }),
): Promise<AskedWorker[]> {
  const found = await Promise.all(urls.map((url) => addressesOf(new URL(url), signal, resolveName)));
  const addresses = found.flatMap((each) => ('addresses' in each ? each.addresses : []));
  const unresolved = found.flatMap((each) => ('addresses' in each ? [] : [each]));
  const asked = addresses.slice(0, MAX_ADDRESSES);
  const answers = await Promise.all(asked.map((address) => ask(address, signal)));
  const left = addresses.length - asked.length;
  return [
    ...distinct(answers),
    ...unresolved,
    ...(left > 0
      ? [{ where: `${left} more addresses`, ok: false, why: 'too many: not asked' } as const]
      : []),
  ];
}

async function addressesOf(
  url: URL,
  signal: AbortSignal,
  resolveName: ResolveName,
): Promise<{ readonly addresses: readonly Address[] } | Extract<AskedWorker, { ok: false }>> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const addresses = await within(resolveName(name), signal);
    // A name of this machine is one place, and a worker may listen on only one of its addresses.
    const local = /^(.+\.)?localhost$/i.test(name);
    const [first] = addresses.toSorted((a, b) => a.family - b.family);
    return { addresses: (local && first ? [first] : addresses).map((each) => ({ url, ...each })) };
  } catch (error) {
    return { where: url.host, ok: false, why: `the name was not resolved: ${printable(causeOf(error))}` };
  }
}

/** The system's resolver cannot be cancelled: a late result is ignored. */
async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  return await Promise.race([
    work,
    new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true });
    }),
  ]);
}

async function ask({ url, address, family }: Address, signal: AbortSignal): Promise<AskedWorker> {
  const where = `${hostOf(address, family)}:${portOf(url)}`;
  const result = await fetchText(new URL('/status', url), { address, family }, signal);
  if ('why' in result) return { where, ok: false, why: result.why };
  const status = readWorkerStatus(result.text);
  return typeof status === 'string' ? { where, ok: false, why: status } : { where, ok: true, status };
}

function hostOf(address: string, family: number): string {
  return family === 6 ? `[${address}]` : address;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** Without `fetch`, which refuses ports that browsers avoid, follows redirects, and resolves the name again. */
function fetchText(
  url: URL,
  { address, family }: Pick<Address, 'address' | 'family'>,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly why: string }> {
  return new Promise((settle) => {
    const late = AbortSignal.timeout(PATIENCE_MS);
    const fixed: LookupFunction = (_name, options, done) => {
      if (options.all === true) done(null, [{ address, family }]);
      else done(null, address, family);
    };
    const options: RequestOptions = {
      lookup: fixed,
      agent: false,
      // A worker on this machine accepts no other Host (DNS rebinding); one elsewhere may be behind a proxy that needs it.
      headers: { host: isLoopback(address) ? `${hostOf(address, family)}:${portOf(url)}` : url.host },
      signal: AbortSignal.any([signal, late]),
      maxHeaderSize: 8_192,
    };
    const fail = (error: unknown): void =>
      settle({ why: late.aborted ? `no answer within ${PATIENCE_MS / 1_000} s` : printable(causeOf(error)) });
    const get = url.protocol === 'https:' ? httpsGet : httpGet;
    const request: ClientRequest = get(url, options, (response) => {
      const { statusCode } = response;
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (statusCode === 200 && bytes <= MAX_ANSWER_BYTES) return;
        settle({
          why: statusCode === 200 ? 'the answer is too long for a status of a worker' : answered(statusCode),
        });
        request.destroy();
      });
      response.on('error', fail);
      response.on('end', () =>
        settle(
          statusCode === 200 ? { text: Buffer.concat(chunks).toString() } : { why: answered(statusCode) },
        ),
      );
    });
    request.on('error', fail);
  });
}

function answered(status: number | undefined): string {
  const what = `it answers GET /status with ${status}`;
  return status === 404 ? `${what}: is it a worker, and of this version?` : what;
}

/** A worker reached by several addresses has the same id at each. */
function distinct(workers: readonly AskedWorker[]): AskedWorker[] {
  const seen = new Set<string>();
  return workers.filter((worker) => {
    if (!worker.ok) return true;
    if (seen.has(worker.status.worker)) return false;
    seen.add(worker.status.worker);
    return true;
  });
}
