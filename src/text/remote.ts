/**
 * Text that a remote side wrote: an error of AWS, of a proxy, of Redis, or what a record says such an error was. It may
 * quote the request that it answers, with session token, signature and authorization header, and it may be of any size.
 * Everything of that kind passes here once, where it becomes data of ours, before it is cut, stored, logged or shown. PURE.
 */

/** What is looked at. All costs are linear in it, whatever the size of the text. */
const LOOKED_AT = 8_192;
const MAX_TEXT = 1_000;
const MAX_NAME = 200;

/** Where a text begins to quote a signed request, or to give a secret after its name: nothing from there on is shown. */
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

/** Secrets that nothing announces. */
const secrets = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  /\bwhsec_[A-Za-z0-9+/=]+/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]*/g,
  /\b(?:bearer|basic|negotiate) +(?=[^\s"']{0,200}[0-9=])[^\s"']{12,}/gi,
  // User and password in a URL.
  /(?<=:\/\/)[^/\s@]{1,400}(?=@)/g,
];

/** As long as no id, ARN or path is, and as varied as only encoded bytes are: a session token, a receipt handle. */
const longRun = /[A-Za-z0-9+/=_%-]{100,}/g;
const REMOVED = '[removed]';

/** What the SDK adds to an error of reading an answer, for who has the error itself in hand. */
const SDK_HINT = /\n {2}Deserialization error: to see the raw response, .*$/;

/** One line of at most 1,000 characters, without secrets; empty of what is no text at all. */
export function remoteText(text: unknown): string {
  return cut(
    withoutSecrets(typeof text === 'string' ? text : '')
      .replace(SDK_HINT, '')
      .replace(/\s+/g, ' ')
      .trim(),
    MAX_TEXT,
  );
}

/** A name, a code or a request id: the same, of at most 200 characters. */
export function remoteName(text: unknown): string {
  return cut(remoteText(text), MAX_NAME);
}

/** A stack, whose first line is the error's message: its lines are kept. */
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

/** Of a word that the end would cut in two, nothing is looked at: a part of a secret may not look like one. */
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
