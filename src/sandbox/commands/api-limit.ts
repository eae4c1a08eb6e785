/**
 * The value of `--api-limit`. PURE. Every fault is one sentence that says what is accepted.
 *
 * ```
 * limit  = "unlimited" | part *("+" part)
 * part   = figure ["@" option *("," option)]
 * figure = rate [":" burst] | calls "/" time | calls        ; the last with in-flight
 * option = "tick=" time | "sliding" | "front-ends=" count | "sticky" | "in-flight"
 * ```
 */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../../text/nearest.ts';
import { decimalOf } from '../../text/numbers.ts';
import type { LimitSettingsInput } from '../simulated-api/index.ts';

/** `unlimited`, because commander reads null as a missing value. */
export type ApiLimit = 'unlimited' | LimitSettingsInput;

type Single = Exclude<LimitSettingsInput, { readonly kind: 'all' }>;
type Undivided = Exclude<Single, { readonly kind: 'frontEnds' | 'concurrency' }>;

const optionNames = ['tick', 'sliding', 'front-ends', 'sticky', 'in-flight'] as const;
type OptionName = (typeof optionNames)[number];
type Options = ReadonlyMap<OptionName, string | undefined>;

const MAX_CALLS = 1_000_000;
const MAX_FRONT_ENDS = 1000;
const DAY_MS = 86_400_000;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function readLimit(text: string): ApiLimit {
  if (text === 'unlimited') return text;
  const parts = text.split('+');
  if (parts.length > 1 && parts.includes('unlimited'))
    throw new InvalidArgumentError('unlimited cannot be combined with other limits.');
  const limits = parts.map((part) => readPart(part, parts.length === 1 ? 'It' : `"${part}"`));
  const [only] = limits;
  return limits.length === 1 && only !== undefined ? only : { kind: 'all', limits };
}

/** @param it the subject of the error sentence. */
function readPart(part: string, it: string): Single {
  const [figure = '', listed, ...more] = part.split('@');
  if (more.length > 0)
    throw new InvalidArgumentError(
      `${it} must have one @, and commas after it, as in 200:100@front-ends=10,sticky.`,
    );
  const options = listed === undefined ? new Map() : readOptions(listed);
  if (options.has('in-flight')) return readInFlight(figure, options, it);
  return divided(
    figure.includes('/') ? readWindow(figure, options, it) : readBucket(figure, options, it),
    options,
  );
}

function readOptions(listed: string): Options {
  const options = new Map<OptionName, string | undefined>();
  for (const text of listed.split(',')) {
    const [typed = '', value, ...more] = text.split('=');
    const name = optionNames.find((known) => known === typed);
    if (name === undefined)
      throw new InvalidArgumentError(
        `There is no "${typed}" after @.${didYouMean(typed, optionNames)} The words are tick=1s, sliding, front-ends=10, sticky and in-flight.`,
      );
    if (options.has(name)) throw new InvalidArgumentError(`${name} is given twice.`);
    const takesValue = name === 'tick' || name === 'front-ends';
    if (!takesValue && value !== undefined)
      throw new InvalidArgumentError(`${name} must be without a value, as in @${name}.`);
    options.set(name, more.length > 0 ? text.slice(name.length + 1) : value);
  }
  return options;
}

/** `200`, `200:20`, `200:20@tick=1s`. The default burst is a tenth of a second's calls, or a tick's calls if they are more. */
function readBucket(figure: string, options: Options, it: string): Undivided {
  if (options.has('sliding')) throw goesWith('sliding', 'calls in a period', '600/60s@sliding');
  const tickMs = options.has('tick') ? readTime(options.get('tick') ?? '') : 0;
  if (tickMs === undefined)
    throw new InvalidArgumentError(
      `tick must be a time from 1ms to 24h, as in tick=1s.${withUnit('tick=', options.get('tick'))}`,
    );
  const [ratePerSecond = Number.NaN, given, ...more] = figure.split(':').map(decimalOf);
  const burst = given ?? Math.max(1, Math.round(ratePerSecond * Math.max(0.1, tickMs / 1000)));
  const good = (value: number, least: number): boolean => value >= least && value <= MAX_CALLS;
  if (more.length > 0 || !good(ratePerSecond, 0.001) || !good(burst, 1))
    throw new InvalidArgumentError(
      `${it} must be calls per second from 0.001 to ${MAX_CALLS}, as in 200, with a burst from 1, as in 200:20, or calls in a period, as in 600/60s, or unlimited.${didYouMean(figure, ['unlimited'])}`,
    );
  return { ratePerSecond, burst, ...(tickMs > 0 && { tickMs }) };
}

/** `600/60s`, `600/60s@sliding`. */
function readWindow(figure: string, options: Options, it: string): Undivided {
  if (options.has('tick')) throw goesWith('tick', 'calls per second', '200:20@tick=1s');
  const [counted = '', period = '', ...more] = figure.split('/');
  const calls = whole(counted, MAX_CALLS);
  const periodMs = readTime(period);
  if (more.length > 0 || calls === undefined || periodMs === undefined)
    throw new InvalidArgumentError(
      `${it} must be a whole number of calls from 1 to ${MAX_CALLS} and a period from 1ms to 24h, as in 600/60s.${withUnit(`${counted}/`, period)}`,
    );
  return { kind: 'window', calls, periodMs, sliding: options.has('sliding') };
}

/** `50@in-flight`. */
function readInFlight(figure: string, options: Options, it: string): Single {
  if (options.size > 1)
    throw new InvalidArgumentError('in-flight must be the only word after the @, as in 200:20+50@in-flight.');
  const calls = whole(figure, MAX_CALLS);
  if (calls !== undefined) return { kind: 'concurrency', calls };
  throw new InvalidArgumentError(
    `${it} must be a whole number of calls from 1 to ${MAX_CALLS}, as in 50@in-flight.`,
  );
}

/** `limit@front-ends=10`, `limit@front-ends=10,sticky`. */
function divided(limit: Undivided, options: Options): Single {
  if (!options.has('front-ends')) {
    if (options.has('sticky')) throw goesWith('sticky', 'front ends', '200:100@front-ends=10,sticky');
    return limit;
  }
  const count = whole(options.get('front-ends') ?? '', MAX_FRONT_ENDS);
  if (count !== undefined) return { kind: 'frontEnds', count, sticky: options.has('sticky'), limit };
  throw new InvalidArgumentError(
    `front-ends must be a whole number from 1 to ${MAX_FRONT_ENDS}, as in 200:100@front-ends=10.`,
  );
}

function goesWith(name: OptionName, what: string, example: string): InvalidArgumentError {
  return new InvalidArgumentError(`${name} goes with ${what}, as in ${example}.`);
}

function whole(text: string, most: number): number | undefined {
  const value = decimalOf(text);
  return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined;
}

/** `500ms`, `0.5s`, `1m`, `1h`, in milliseconds. */
function readTime(text: string): number | undefined {
  const [, amount = '', unit = ''] = /^([\d.]+)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = decimalOf(amount) * (units[unit] ?? Number.NaN);
  return ms >= 1 && ms <= DAY_MS ? ms : undefined;
}

/** For a time without a unit, or with a misspelt one: what was probably meant, for the end of a sentence. */
function withUnit(before: string, text = ''): string {
  const [, amount = '', unit = ''] = /^([\d.]+) ?([a-z]*)$/i.exec(text) ?? [];
  const short = /^m(?:s|il)/i.test(unit) ? 'ms' : (unit[0]?.toLowerCase() ?? 's');
  const meant = `${amount}${short}`;
  return meant === text || readTime(meant) === undefined ? '' : ` Did you mean "${before}${meant}"?`;
}
