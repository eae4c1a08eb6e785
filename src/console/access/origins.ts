/**
 * Which requests come from where they should. PURE.
 *
 * - DNS rebinding: a name of another's that begins to resolve to this machine. An address cannot be rebound, and `localhost`
 *   is this machine's own: every other name is one of CONSOLE_HOSTS.
 * - Cross-site requests: a form or a script of another page. It carries `Origin`, and `Sec-Fetch-Site`. A proxy may send another
 *   `Host` than the browser did: an origin that CONSOLE_HOSTS names, with the port that it has, is this console's, too.
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
  if (origin !== undefined && !isOwnOrigin(origin, host, hosts))
    return 'its Origin is neither its Host nor a name in CONSOLE_HOSTS: it comes from a page of another site, or by a proxy that does not pass Host on';
  if (site !== undefined && site !== 'same-origin')
    return 'it comes from a page of another site (Sec-Fetch-Site)';
  return undefined;
}

/** Whether a browser has vouched that a request comes from a page of this console. */
export function isFromOwnPage(
  { host = '', origin, 'sec-fetch-site': site }: Headers,
  hosts: readonly string[],
): boolean {
  return origin === undefined ? site === 'same-origin' : isOwnOrigin(origin, host, hosts);
}

/** An entry of `hosts` without a port is the standard port of http or https here: another port may be another server. */
function isOwnOrigin(origin: string, host: string, hosts: readonly string[]): boolean {
  // `null` is none.
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin).host;
  return own === host.toLowerCase() || hosts.includes(own);
}
