/** Abort rules: they stop a job when too many of its rows, or of the devices behind them, have failed. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { classify, type FailureKind } from '../../message/failure.ts';
import { counted, number } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface AbortRule {
  readonly of: 'rows' | 'devices';
  /** Count only rows that failed with this error name or failure kind. */
  readonly cause?: string;
  /** Stop when more than this number failed, or more than this share of the ended ones. */
  readonly limit: AbortLimit;
}

type AbortLimit =
  | { readonly count: number }
  | {
      /** At least 0, below 1. */
      readonly share: number;
      /** Rows or devices that must have ended before the share counts. */
      readonly least: number;
    };

/** Rows or devices that have ended. */
export interface Ends {
  readonly ended: number;
  readonly failed: number;
}

/** The failed rows by error name. */
export type Causes = readonly { readonly cause: string; readonly rows: number }[];

/** The kinds of failures that a rule can name; error names other than these are allowed, too. */
export const abortKinds = [
  'throttled',
  'unreachable',
  'retryable',
  'conflict',
  'denied',
  'rejected',
  'misconfigured',
  'unidentified',
  'internal',
] as const satisfies readonly FailureKind[];

const EXAMPLE = `as in --abort-when 'failed>2%/200': stop when more than 2% of at least 200 ended rows failed`;
/** The form of AWS's error names, the worker's reasons, and system errors. */
const CAUSE = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/**
 * Reads an abort rule:
 * - `failed>2%/200`: stop when more than 2% have failed, once 200 rows have ended.
 * - `failed>20`: stop when more than 20 rows have failed.
 * - `failed:ThrottlingException>1%/100`: count one error or one kind of failure.
 * - `devices-failed>5%/500`: count devices.
 * @throws CommandError that says what is wrong with it, and gives an example.
 */
export function parseAbortRule(text: string): AbortRule {
  const wrong = (fault: string): CommandError =>
    misuse(`--abort-when '${shortPrintable(text)}': ${fault}, ${EXAMPLE}.`);
  const rule = text.trim();
  // Without quotes, a shell reads `>` as a redirection to a file.
  if (/^(devices-)?failed(:[\w.-]*)?$/.test(rule)) throw wrong('put the rule in quotes');
  const match = /^(devices-)?failed(?::([^>]*))?\s*>\s*([^%/]*)(%?)\s*(?:\/\s*(.*))?$/s.exec(rule);
  if (match === null) throw wrong('a rule begins with failed>, failed:ERROR> or devices-failed>');
  const [, devices, named, amount = '', sign, least] = match;
  const cause = named?.trim();
  if (devices !== undefined && cause !== undefined)
    throw wrong('a rule on devices cannot name an error: devices do not report one');
  if (cause !== undefined && !CAUSE.test(cause))
    throw wrong(
      'after the colon comes an error name such as ThrottlingException, or a kind of failure such as throttled',
    );
  const about = {
    of: devices === undefined ? ('rows' as const) : ('devices' as const),
    ...(cause !== undefined && { cause }),
  };
  return { ...about, limit: parseLimit(amount, sign === '%', least, about.of, wrong) };
}

function parseLimit(
  amount: string,
  isShare: boolean,
  least: string | undefined,
  of: AbortRule['of'],
  wrong: (fault: string) => CommandError,
): AbortLimit {
  if (!isShare) {
    if (least !== undefined) throw wrong('the share is a percentage and needs its %');
    if (!/^\d{1,9}$/.test(amount))
      throw wrong('give the share as a number from 0 to 99 with a %, or a whole number that may fail');
    return { count: Number(amount) };
  }
  if (!/^\d{1,3}(\.\d{1,6})?$/.test(amount)) throw wrong('give the share as a number from 0 to 99');
  if (Number(amount) >= 100) throw wrong('more than 100% can never fail: the share must be below 100%');
  if (least === undefined) throw wrong(`say after a / how many ${of} must have ended before it counts`);
  if (!/^[1-9]\d{0,8}$/.test(least)) throw wrong(`after the / comes a whole number of ${of} from 1`);
  return { share: Number(amount) / 100, least: Number(least) };
}

/** The rule in the form in which it is given. */
export function formatAbortRule({ of, cause, limit }: AbortRule): string {
  const subject = `${of === 'devices' ? 'devices-' : ''}failed${cause === undefined ? '' : `:${cause}`}`;
  return 'count' in limit
    ? `${subject}>${limit.count}`
    : `${subject}>${Number((limit.share * 100).toFixed(6))}%/${limit.least}`;
}

/** Checks a value from a ledger. */
export function isAbortRule(value: unknown): value is AbortRule {
  if (typeof value !== 'object' || value === null) return false;
  const { of, cause, limit } = value as Readonly<Record<string, unknown>>;
  if (of !== 'rows' && (of !== 'devices' || cause !== undefined)) return false;
  if (cause !== undefined && !(typeof cause === 'string' && CAUSE.test(cause))) return false;
  if (typeof limit !== 'object' || limit === null) return false;
  const { count, share, least } = limit as Readonly<Record<string, unknown>>;
  if (count !== undefined) return Number.isSafeInteger(count) && Number(count) >= 0;
  return (
    typeof share === 'number' && share >= 0 && share < 1 && Number.isSafeInteger(least) && Number(least) >= 1
  );
}

/**
 * Refuses a rule that can never act because another rule of the same kind always stops the job before it.
 * @throws CommandError that names both.
 */
export function refuseIdleRules(rules: readonly AbortRule[]): void {
  rules.forEach((rule, i) => {
    const first = rules.find(
      (other, j) => j !== i && actsFirst(other, rule) && (j < i || !actsFirst(rule, other)),
    );
    if (first === undefined) return;
    throw misuse(
      `--abort-when '${formatAbortRule(rule)}' can never act: '${formatAbortRule(first)}' always stops the job first. Leave one of them out.`,
    );
  });
}

/** Whether `a` stops the job no later than `b`. */
function actsFirst(a: AbortRule, b: AbortRule): boolean {
  if (a.of !== b.of || !covers(a.cause, b.cause)) return false;
  if ('count' in a.limit)
    return 'count' in b.limit ? a.limit.count <= b.limit.count : a.limit.count <= fewest(b.limit) - 1;
  return 'share' in b.limit && a.limit.share <= b.limit.share && a.limit.least <= b.limit.least;
}

/** Whether every failure that `b` counts is also counted by `a`; undefined is any cause. */
function covers(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || a === b) return true;
  return b !== undefined && isKind(a) && !isKind(b) && kindOf(b) === a;
}

/** The smallest number of failures that can exceed a share. */
function fewest({ share, least }: { readonly share: number; readonly least: number }): number {
  return Math.floor(allowed(share, least)) + 1;
}

/** Failed rows that the rule counts. */
export function failedOf({ cause }: Pick<AbortRule, 'cause'>, failed: number, causes: Causes): number {
  if (cause === undefined) return failed;
  return causes.filter((of) => covers(cause, of.cause)).reduce((sum, { rows }) => sum + rows, 0);
}

/** The part of all ends that the rule judges. */
export function endsFor(
  rule: Pick<AbortRule, 'cause'>,
  { ended, failed, causes }: Ends & { readonly causes: Causes },
): Ends {
  return { ended, failed: failedOf(rule, failed, causes) };
}

function isKind(cause: string): boolean {
  return (abortKinds as readonly string[]).includes(cause);
}

/** The kind of a failure for which the ledger's counts have only the name. */
function kindOf(cause: string): FailureKind {
  if (cause === 'RefusedBySqs') return 'rejected';
  // A name that reveals no kind belongs to a request that the API refused.
  return classify({ name: cause, code: cause, message: '', status: 400, requestId: '-' }, 0).kind;
}

/** Whether more has failed than the rule allows. */
export function isBroken({ limit }: AbortRule, { ended, failed }: Ends): boolean {
  if ('count' in limit) return failed > limit.count;
  return ended >= limit.least && failed > allowed(limit.share, ended);
}

/** Rows or devices that must have ended before the rule judges. */
export function leastOf({ limit }: AbortRule): number {
  return 'count' in limit ? 0 : limit.least;
}

/** The rule for judging when no more rows or devices will end. */
export function withoutLeast(rule: AbortRule): AbortRule {
  const { limit } = rule;
  return 'count' in limit ? rule : { ...rule, limit: { share: limit.share, least: 1 } };
}

/** How many of `ended` the share allows. Rounded first: 29% of 100 is 29, but the product is less. */
function allowed(share: number, ended: number): number {
  return share * ended + 1e-9 * ended;
}

/** Says that a rule is broken, as a sentence without its full stop. */
export function brokenText(rule: AbortRule, { ended, failed }: Ends): string {
  const by = rule.cause === undefined ? '' : ` by ${rule.cause}`;
  const what = rule.of === 'devices' ? 'device' : 'row';
  // A share would be rounded, and could then look equal to the one that is allowed.
  return `${number(failed)} of ${counted(ended, `ended ${what}`)} failed${by}, more than --abort-when '${formatAbortRule(rule)}' allows`;
}

/** One SQS batch: fewer rows at a time would be slow without protecting anybody. */
const LEAST_IN_FLIGHT = 10;

/**
 * Maximum number of rows in flight under the rule. It limits how many rows can fail after the threshold is crossed, even if all in
 * flight fail: to the number that the rule tolerates before, or wants to see before it judges. More are in flight only while the rule
 * would tolerate that all of them fail. `Infinity` for devices, which fail long after their rows have ended.
 */
export function toleratedBy({ of, limit }: AbortRule, { ended, failed }: Ends): number {
  if (of === 'devices') return Number.POSITIVE_INFINITY;
  if ('count' in limit) return Math.max(LEAST_IN_FLIGHT, limit.count);
  const { share, least } = limit;
  // All of n rows in flight fail, and failed + n <= share * (ended + n).
  const slack = Math.floor((share * ended - failed) / (1 - share));
  return Math.max(LEAST_IN_FLIGHT, least, slack);
}
