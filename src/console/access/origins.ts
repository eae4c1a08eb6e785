/**
 * Which requests come from where they should. PURE.
 *
 * - DNS rebinding: a name of another's that begins to resolve to this machine. An address cannot be rebound, and `localhost`
 *   is this machine's own: every other name is one of CONSOLE_HOSTS.
 * - Cross-site requests: a form or a script of another page. It carries `Origin`, and `Sec-Fetch-Site`.
 */
import { isIP } from 'node:net';
import { isLoopbackName } from '../../http/foreign-requests.ts';

interface Headers {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly 'sec-fetch-mode'?: string | string[] | undefined;
}

/** @param hosts of CONSOLE_HOSTS, in lower case, with or without a port. @param host the header. */
function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const whole = host.toLowerCase();
  const name = whole.replace(/:\d+$/, '');
  return (
    isLoopbackName(whole) ||
    isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
    hosts.includes(whole) ||
    hosts.includes(name)
  );
}

/** Why a request is not answered, as a phrase; undefined for one that is. */
export function objection(headers: Headers, method: string, hosts: readonly string[]): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (!isOwnHost(host, hosts))
    return 'its Host is no name of this console: open it by localhost or its address, or add the name to CONSOLE_HOSTS';
  if (method === 'GET' || method === 'HEAD') {
    // A link to a page may be on any other; the cookie does not come along.
    const elsewhere = site === 'cross-site' || site === 'same-site';
    return elsewhere && mode !== 'navigate' ? 'another site asks for it' : undefined;
  }
  if (origin !== undefined && hostOf(origin) !== host.toLowerCase())
    return 'it comes from a page of another site (Origin)';
  if (site !== undefined && site !== 'same-origin')
    return 'it comes from a page of another site (Sec-Fetch-Site)';
  return undefined;
}

/** Whether a browser has vouched that a request comes from a page of this console. */
export function isFromOwnPage({ host = '', origin, 'sec-fetch-site': site }: Headers): boolean {
  return origin === undefined ? site === 'same-origin' : hostOf(origin) === host.toLowerCase();
}

/** Host and port of an origin; undefined for `null`, and for what is none. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
