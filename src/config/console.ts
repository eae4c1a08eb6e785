/** The settings of the console. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { integer, optional, withDefault } from './variable.ts';

/** Limit for lists that a person writes. */
const MOST = 100;

/** `name:role:token`; the console keeps only a digest of the token. */
export interface ConsoleToken {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  readonly token: string;
}

const TOKEN = /^([A-Za-z0-9][A-Za-z0-9._@-]{0,63}):(viewer|operator):([A-Za-z0-9._~+/=-]{24,200})$/;

export const TOKEN_RULE =
  'NAME:ROLE:TOKEN, where ROLE is viewer or operator, and TOKEN 24 to 200 characters, as `openssl rand -hex 32` prints them';

/** Parses one entry of CONSOLE_TOKENS, or a line of its file; undefined if invalid. PURE. */
export function parseConsoleToken(text: string): ConsoleToken | undefined {
  const [, name, role, token] = TOKEN.exec(text.trim()) ?? [];
  if (name === undefined || token === undefined || (role !== 'viewer' && role !== 'operator'))
    return undefined;
  return { name, role, token };
}

const tokens = z
  .string()
  .transform((text) => text.split(',').map(parseConsoleToken))
  .refine(
    (all): all is ConsoleToken[] => all.length <= MOST && all.every((each) => each !== undefined),
    `must be ${TOKEN_RULE}; separate several with commas`,
  );

const hosts = z
  .string()
  .transform((text) => text.split(',').map((host) => host.trim().toLowerCase()))
  .refine(
    (all) => all.length <= MOST && all.every((host) => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?$/.test(host)),
    'must be host names separated by commas, such as console.example.com',
  );

const proxies = z
  .string()
  .transform((text) => text.split(',').map((address) => address.trim()))
  .refine(
    (all) => all.length <= MOST && all.every(isNetwork),
    'must be addresses or networks separated by commas, such as 10.0.0.5 or 10.0.0.0/24',
  );

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  if (prefix === undefined) return true;
  if (!/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    return true;
  } catch {
    return false;
  }
}

const names = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .refine(
    (all) => all.length <= MOST && all.every((name) => /^\S.{0,199}$/.test(name)),
    'must be names separated by commas, as the proxy gives them',
  );

/** ARN of an Application Load Balancer: captures partition and region. */
export const ALB_ARN =
  /^arn:(aws|aws-cn|aws-us-gov):elasticloadbalancing:([a-z0-9-]+):\d{12}:loadbalancer\/app\/[A-Za-z0-9-]+\/[0-9a-f]+$/;

export const consoleVariables = {
  consoleHost: withDefault(
    'CONSOLE_HOST',
    z.string().regex(/^\S+$/, 'must be a host name or an address'),
    '127.0.0.1',
    'Address that the console listens on.',
  ),
  consolePort: withDefault(
    'CONSOLE_PORT',
    integer(0, 65_535),
    '8090',
    'Port of the console; `0` picks a free one.',
  ),
  consoleHosts: optional(
    'CONSOLE_HOSTS',
    hosts,
    'Host names by which browsers and Prometheus reach the console; `localhost` and IP addresses need not be listed. Behind a ' +
      'proxy that does not pass `Host` on, also list the name in the browser, with its port if that is not 80 or 443.',
  ),
  consoleTokens: optional(
    'CONSOLE_TOKENS',
    tokens,
    'Who may sign in to the console, and with which role: `NAME:ROLE:TOKEN`, separated by commas. Secret.',
  ),
  consoleTokensFile: optional(
    'CONSOLE_TOKENS_FILE',
    z.string().regex(/\S/, 'must name a file'),
    'A file with such tokens, one per line; lines that begin with `#` are ignored. It is read again when it changes.',
  ),
  consoleTrustedProxies: optional(
    'CONSOLE_TRUSTED_PROXIES',
    proxies,
    'Addresses or networks of the proxies in front of the console: their `X-Forwarded-For`, `X-Forwarded-Proto` and identity ' +
      'header are trusted.',
  ),
  consoleIdentityHeader: optional(
    'CONSOLE_IDENTITY_HEADER',
    z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header, such as X-Forwarded-Email'),
    'Header in which these proxies name the person who has signed in there, in UTF-8. Everyone whom they let in may read. Cannot be combined with `CONSOLE_IDENTITY_ALB_ARN`.',
  ),
  consoleIdentityAlbArn: optional(
    'CONSOLE_IDENTITY_ALB_ARN',
    z.string().regex(ALB_ARN, 'must be the ARN of an Application Load Balancer'),
    'The Application Load Balancer among these proxies that signs people in: only the identity that it has signed (`x-amzn-oidc-data`) ' +
      'is trusted, and no other header. Its keys are read from AWS over HTTPS.',
  ),
  consoleOperators: optional(
    'CONSOLE_OPERATORS',
    names,
    'Who, of the people that these proxies let in, may make changes: names as in that header, or subjects as the load balancer has signed them. Compared exactly.',
  ),
};
