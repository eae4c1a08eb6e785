/**
 * Text that a remote side wrote: an error of AWS, of a proxy, of Redis, or such an error quoted in a record. It may
 * quote the request that caused it, with session token, signature and authorization header, and may have any size.
 * All such text passes through here once, where it becomes our own data, before it is cut, stored, logged or shown. PURE.
 */

/** How much of a text is examined. This limits all costs, whatever the size of the text. */
const LOOKED_AT = 8_192;
const MAX_TEXT = 1_000;
const MAX_NAME = 200;

/** Where a text begins to quote a signed request, or to name a secret: everything from there on is hidden. */
const quoted = new RegExp(
  [
    'the canonical string',
    'canonical request',
    'string[- ]to[- ]sign',
    'aws4-(?:hmac|ecdsa)',
    'credential=',
    'x-amz-(?:security-token|signature|credential)',
    '(?:authorization|cookie|signature)["\']?\\s*[=:]',
    '(?:secret_?access_?key|(?:session|security|access|refresh|id)_?token|client_?secret|api_?key|private[_ ]key' +
      '|passw(?:or)?d|passphrase)["\']?\\s*[=:>]',
  ].join('|'),
  'i',
);

/** Secrets without an introducing word. */
const secrets = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  /\bwhsec_[A-Za-z0-9+/=]+/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]*/g,
  /\b(?:bearer|basic|negotiate) +(?=[^\s"']{0,200}[0-9=])[^\s"']{12,}/gi,
  // User and password in a URL.
  /(?<=:\/\/)[^/\s@]{1,400}(?=@)/g,
];

/** Longer than any id, ARN or path, and as varied as only encoded bytes are: a session token, a receipt handle. */
const longRun = /[A-Za-z0-9+/=_%-]{100,}/g;
const REMOVED = '[removed]';

/** The SDK's addition to an error while reading an answer, meant for developers who have the error object. */
const SDK_HINT = /\n {2}Deserialization error: to see the raw response, .*$/;

/** One line of at most 1,000 characters, without secrets; empty if `text` is not a string. */
export function remoteText(text: unknown): string {
  return cut(
    withoutSecrets(typeof text === 'string' ? text : '')
      .replace(SDK_HINT, '')
      .replace(/\s+/g, ' ')
      .trim(),
    MAX_TEXT,
  );
}

/** A name, a code or a request id: the same, with at most 200 characters. */
export function remoteName(text: unknown): string {
  return cut(remoteText(text), MAX_NAME);
}

/** A stack, whose first line is the error's message: keeps its lines. */
export function remoteStack(text: string): string {
  return cut(withoutSecrets(text), LOOKED_AT);
}

function withoutSecrets(text: string): string {
  let looked = text.length > LOOKED_AT ? text.slice(0, endOfWord(text, LOOKED_AT)) : text;
  const quote = looked.search(quoted);
  if (quote >= 0) looked = looked.slice(0, quote);
  for (const secret of secrets) looked = looked.replace(secret, REMOVED);
  return looked.replace(longRun, (run) => (isEncoded(run) ? REMOVED : run));
}

/** A word that would be cut in two is dropped: a part of a secret may not look like a secret. */
function endOfWord(text: string, end: number): number {
  let last = end;
  while (last > 0 && !/\s/.test(text.charAt(last))) last--;
  return last;
}

function isEncoded(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run);
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max;
  return text.slice(0, end);
}
