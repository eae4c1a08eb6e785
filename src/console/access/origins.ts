/**
 * Which requests come from where they should. PURE.
 *
 * - DNS rebinding: a foreign name that begins to resolve to this machine. An address cannot be rebound, and `localhost`
 *   always means this machine. Every other name must be in CONSOLE_HOSTS.
 * - Cross-site requests: a form or a script of another page. Such a request has `Origin` and `Sec-Fetch-Site`. A proxy may change
 *   `Host`, so an origin that CONSOLE_HOSTS names, with its port, also counts as this console's.
 */
import { isIP } from 'node:net';
import { isLoopbackName } from '../../http/foreign-requests.ts';

interface Headers {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly 'sec-fetch-mode'?: string | string[] | undefined;
}

/** @param hosts from CONSOLE_HOSTS, in lower case, with or without a port. @param host the header. */
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

/** Why a request is refused, as a phrase; undefined if it is not. */
export function objection(headers: Headers, method: string, hosts: readonly string[]): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (!isOwnHost(host, hosts))
    return 'its Host is not a name of this console: open the console at localhost or its address, or add the name to CONSOLE_HOSTS';
  if (method === 'GET' || method === 'HEAD') {
    // Other sites may link to a page; the cookie is not sent then.
    const elsewhere = site === 'cross-site' || site === 'same-site';
    return elsewhere && mode !== 'navigate' ? 'the request comes from another site' : undefined;
  }
  if (origin !== undefined && !isOwnOrigin(origin, host, hosts))
    return 'its Origin is neither its Host nor a name in CONSOLE_HOSTS: the request comes from a page of another site, or through a proxy that does not pass on Host';
  if (site !== undefined && site !== 'same-origin')
    return 'the request comes from a page of another site (Sec-Fetch-Site)';
  return undefined;
}

/** Whether the browser confirms that a request comes from a page of this console. */
export function isFromOwnPage(
  { host = '', origin, 'sec-fetch-site': site }: Headers,
  hosts: readonly string[],
): boolean {
  return origin === undefined ? site === 'same-origin' : isOwnOrigin(origin, host, hosts);
}

/** For an entry of `hosts` without a port, only the standard ports of http and https count: another port may be another server. */
function isOwnOrigin(origin: string, host: string, hosts: readonly string[]): boolean {
  // `null` is not an origin.
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin).host;
  return own === host.toLowerCase() || hosts.includes(own);
}
