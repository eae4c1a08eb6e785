/** The proxy for requests: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or in lower case, which takes precedence. PURE. */

type Environment = Readonly<Record<string, string | undefined>>;

/** In the form that the agents of `node:http` and `node:https` accept. */
export interface ProxySettings {
  /** For requests over http; undefined: direct. */
  readonly HTTP_PROXY: string | undefined;
  /** For requests over https; undefined: direct. */
  readonly HTTPS_PROXY: string | undefined;
  /** Hosts that are contacted directly, separated by commas. */
  readonly NO_PROXY: string;
}

/** This machine, and the addresses that provide credentials to a machine or a container: no proxy can reach these for us. */
const ALWAYS_DIRECT = [
  'localhost',
  '127.0.0.1',
  '::1',
  '[::1]',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
];

/** @returns undefined when no proxy is set. */
export function proxyOf(env: Environment): ProxySettings | undefined {
  const HTTP_PROXY = proxyUrl(env, 'HTTP_PROXY');
  const HTTPS_PROXY = proxyUrl(env, 'HTTPS_PROXY');
  if (HTTP_PROXY === undefined && HTTPS_PROXY === undefined) return undefined;
  const exceptions = variable(env, 'NO_PROXY')?.split(/[\s,]+/) ?? [];
  return { HTTP_PROXY, HTTPS_PROXY, NO_PROXY: [...exceptions, ...ALWAYS_DIRECT].filter(Boolean).join(',') };
}

/** What is wrong with the configured proxies, one sentence each. No address is repeated, because it may hold a password. */
export function proxyFaults(env: Environment): string[] {
  return (['HTTP_PROXY', 'HTTPS_PROXY'] as const).flatMap((name) => {
    const url = proxyUrl(env, name);
    if (url === undefined) return [];
    const { protocol, hostname } = URL.parse(url) ?? {};
    if (hostname && (protocol === 'http:' || protocol === 'https:')) return [];
    return [`${name}: must be the address of an HTTP proxy (http://proxy.example:3128)`];
  });
}

/** Other programs accept `proxy.example:3128` too. */
function proxyUrl(env: Environment, name: 'HTTP_PROXY' | 'HTTPS_PROXY'): string | undefined {
  const text = variable(env, name);
  return text === undefined || text.includes('://') ? text : `http://${text}`;
}

function variable(env: Environment, name: string): string | undefined {
  return env[name.toLowerCase()] || env[name] || undefined;
}
