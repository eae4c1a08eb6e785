/** Parses the file named by `LIMITS_FILE`: lines as in a file of environment variables. PURE. */
import { parseEnv } from 'node:util';
import { variables } from './variables.ts';

/** The limits that the file sets; undefined: not set. */
export interface LimitsText {
  /** Calls per second; `Infinity` for `unlimited`. */
  readonly rate: number | undefined;
  readonly concurrency: number | undefined;
  readonly by: string | undefined;
  readonly reason: string | undefined;
}

/** Who changed the file, and why: for the log. */
const NOTES = ['CHANGED_BY', 'REASON'] as const;
const SETTINGS = ['RATE_LIMIT', 'MAX_CONCURRENCY'] as const;
const names: readonly string[] = [...SETTINGS, ...NOTES];

const MAX_NOTE = 200;

/**
 * Anything unknown is a fault: a misspelt setting must not leave calls unlimited.
 * @returns the first fault as a phrase, or the limits. Never throws.
 */
export function readLimitsText(text: string): LimitsText | string {
  const seen = new Set<string>();
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line) ?? [];
    if (name === '') return `line ${i + 1} is not of the form NAME=value`;
    if (!names.includes(name))
      return `line ${i + 1} sets ${name.slice(0, 40)}, but only ${names.join(', ')} can be set there`;
    if (seen.has(name)) return `line ${i + 1} sets ${name} again`;
    seen.add(name);
  }
  // A byte order mark would be part of the first name.
  const values: Readonly<Record<string, string | undefined>> = parseEnv(text.replace(/^\ufeff/, ''));
  const rate = readValue(values.RATE_LIMIT, variables.rateLimit);
  const concurrency = readValue(values.MAX_CONCURRENCY, variables.maxConcurrency);
  if (typeof rate === 'string') return rate;
  if (typeof concurrency === 'string') return concurrency;
  const [by, reason] = NOTES.map((name) => values[name]?.slice(0, MAX_NOTE) || undefined);
  return { rate, concurrency, by, reason };
}

function readValue(
  text: string | undefined,
  { name, schema }: typeof variables.rateLimit | typeof variables.maxConcurrency,
): number | undefined | string {
  // As in the environment, an empty value counts as not set.
  if (!text) return undefined;
  const { data, error } = schema.safeParse(text);
  return error === undefined ? data : `${name} ${error.issues[0]?.message}`;
}
