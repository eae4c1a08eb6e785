/** Notices to a webhook: one signed POST each. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isConnectionCode } from '../../aws/errors.ts';
import { proxyOf } from '../../aws/proxy.ts';
import { causeOf, errorCode } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { remoteText } from '../../text/remote.ts';
import { parseHttpDate } from '../../time/http-date.ts';
import { bodyOf, type Notice } from '../notice.ts';
import { signedHeaders } from '../signature.ts';
import { type Target, TELL_TIMEOUT_MS, type Telling } from '../target.ts';

/** The most that is read of an answer: it only shows whether the notice was accepted. */
const MAX_ANSWER_BYTES = 2_048;
/** The most characters of the answer that are shown. */
const MAX_SAID = 200;

export interface WebhookOptions {
  readonly url: URL;
  /** The keys that sign requests, at least one. */
  readonly keys: readonly Buffer[];
  readonly userAgent: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Holds the proxy variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Redirects are not followed: the signed request is meant only for this address. */
export function createWebhook({ url, keys, userAgent, now, env }: WebhookOptions): Target {
  const proxyEnv = proxyOf(env);
  const options = { keepAlive: false, ...(proxyEnv !== undefined && { proxyEnv: { ...proxyEnv } }) };
  const secure = url.protocol === 'https:';
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const place = `the webhook at ${printable(url.host)}`;

  const post = (notice: Notice, signal: AbortSignal): Promise<Telling> => {
    const body = JSON.stringify(bodyOf(notice));
    return new Promise((resolve, reject) => {
      const send = secure ? requestHttps : requestHttp;
      const request = send(url, {
        method: 'POST',
        agent,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': userAgent,
          ...signedHeaders(notice.id, Math.floor(now() / 1_000), body, keys),
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        readBeginning(response).then((said) => resolve(judge(response, said, now())), reject);
      });
      request.end(body);
    });
  };

  return {
    name: 'webhook',
    place,
    tell: async (notice, signal) => {
      const limit = AbortSignal.timeout(TELL_TIMEOUT_MS);
      try {
        return await post(notice, AbortSignal.any([signal, limit]));
      } catch (error) {
        if (limit.aborted)
          return { ok: false, passing: true, why: `no complete answer within ${TELL_TIMEOUT_MS / 1_000} s` };
        return { ok: false, passing: true, why: whyOf(error) };
      }
    },
    close: () => agent.destroy(),
  };
}

/** The first bytes of the answer, as far as they came. Then closes the connection. */
async function readBeginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
}

function judge({ statusCode: status = 0, headers }: IncomingMessage, said: string, now: number): Telling {
  if (status >= 200 && status < 300) return { ok: true };
  const text = printable(remoteText(said)).slice(0, MAX_SAID);
  const answered = `it answered ${status}${text === '' ? '' : ` (${text})`}`;
  if (status >= 300 && status < 400)
    return {
      ok: false,
      passing: false,
      why: `${answered}; redirects are not followed: set NOTIFY_WEBHOOK_URL to the address that it leads to`,
    };
  const passing = status >= 500 || status === 429 || status === 408;
  const afterMs = retryAfterMs(headers['retry-after'], now);
  return {
    ok: false,
    passing,
    why: passing ? answered : `${answered}: check NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET`,
    ...(afterMs !== undefined && { afterMs }),
  };
}

/** From a number of seconds, or a date. */
function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = parseHttpDate(text, now);
  return at === undefined ? undefined : Math.max(0, at - now);
}

function whyOf(error: unknown): string {
  const code = errorCode(error);
  const cause = printable(remoteText(causeOf(error)));
  return isConnectionCode(code) ? `it cannot be reached: ${cause}` : cause;
}
