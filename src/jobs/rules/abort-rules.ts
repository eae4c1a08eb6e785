/** Abort rules: when too many rows, or the devices behind them, have failed for more to be sent. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { classify, type FailureKind } from '../../message/failure.ts';
import { counted, number } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface AbortRule {
  readonly of: 'rows' | 'devices';
  /** Only rows that failed by this error name or failure kind. */
  readonly cause?: string;
  /** Stop when more than so many failed, or than this share of the ended ones. */
  readonly limit: AbortLimit;
}

type AbortLimit =
  | { readonly count: number }
  | {
      /** 0-1, below 1. */
      readonly share: number;
      /** Ended rows or devices before the share counts. */
      readonly least: number;
    };

/** What of rows or devices has ended. */
export interface Ends {
  readonly ended: number;
  readonly failed: number;
}

/** The rows that failed, by their errors' names. */
export type Causes = readonly { readonly cause: string; readonly rows: number }[];

/** The kinds of failures that a rule can name; an error may have any other name. */
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
/** AWS's error names, the worker's reasons, and system errors are like this. */
const CAUSE = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/**
 * Reads `failed>2%/200`: stop when more than 2% have failed, once 200 rows have ended. `failed>20` is a number of rows,
 * `failed:ThrottlingException>1%/100` one error or kind of failure, `devices-failed>5%/500` is about devices.
 * @throws CommandError that says what is wrong with it, and gives an example.
 */
export function parseAbortRule(text: string): AbortRule {
  const wrong = (fault: string): CommandError =>
    misuse(`--abort-when '${shortPrintable(text)}': ${fault}, ${EXAMPLE}.`);
  const rule = text.trim();
  // Without quotes a shell takes `>` for the name of a file to write to.
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
  if (Number(amount) >= 100) throw wrong('more than 100% can never fail: the share is below 100%');
  if (least === undefined) throw wrong(`say after a / how many ${of} must have ended before it counts`);
  if (!/^[1-9]\d{0,8}$/.test(least)) throw wrong(`after the / comes a whole number of ${of} from 1`);
  return { share: Number(amount) / 100, least: Number(least) };
}

/** The rule as it is given. */
export function formatAbortRule({ of, cause, limit }: AbortRule): string {
  const subject = `${of === 'devices' ? 'devices-' : ''}failed${cause === undefined ? '' : `:${cause}`}`;
  return 'count' in limit
    ? `${subject}>${limit.count}`
    : `${subject}>${Number((limit.share * 100).toFixed(6))}%/${limit.least}`;
}

/** For what a ledger holds. */
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
 * Refuses rules of which one can never act first: another one about the same has always stopped the job before.
 * @throws CommandError that names both.
 */
export function refuseIdleRules(rules: readonly AbortRule[]): void {
  rules.forEach((rule, i) => {
    const first = rules.find(
      (other, j) => j !== i && actsFirst(other, rule) && (j < i || !actsFirst(rule, other)),
    );
    if (first === undefined) return;
    throw misuse(
      `--abort-when '${formatAbortRule(rule)}' can never act: '${formatAbortRule(first)}' has always stopped the job before. Leave one of them out.`,
    );
  });
}

/** Whether `a` stops at the latest when `b` does. */
function actsFirst(a: AbortRule, b: AbortRule): boolean {
  if (a.of !== b.of || !covers(a.cause, b.cause)) return false;
  if ('count' in a.limit)
    return 'count' in b.limit ? a.limit.count <= b.limit.count : a.limit.count <= fewest(b.limit) - 1;
  return 'share' in b.limit && a.limit.share <= b.limit.share && a.limit.least <= b.limit.least;
}

/** Whether everything that fails by `b` fails by `a`; undefined is any cause. */
function covers(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || a === b) return true;
  return b !== undefined && isKind(a) && !isKind(b) && kindOf(b) === a;
}

/** Failures with which a share can be broken at the earliest. */
function fewest({ share, least }: { readonly share: number; readonly least: number }): number {
  return Math.floor(allowed(share, least)) + 1;
}

/** Failed rows that the rule counts. */
export function failedOf({ cause }: Pick<AbortRule, 'cause'>, failed: number, causes: Causes): number {
  if (cause === undefined) return failed;
  return causes.filter((of) => covers(cause, of.cause)).reduce((sum, { rows }) => sum + rows, 0);
}

/** The ends that the rule judges by, of all. */
export function endsFor(
  rule: Pick<AbortRule, 'cause'>,
  { ended, failed, causes }: Ends & { readonly causes: Causes },
): Ends {
  return { ended, failed: failedOf(rule, failed, causes) };
}

function isKind(cause: string): boolean {
  return (abortKinds as readonly string[]).includes(cause);
}

/** The kind of a failure of which the ledger's counts have the name alone. */
function kindOf(cause: string): FailureKind {
  if (cause === 'RefusedBySqs') return 'rejected';
  // A name that tells nothing else is one of a request that the API refused.
  return classify({ name: cause, code: cause, message: '', status: 400, requestId: '-' }, 0).kind;
}

/** Whether more has failed than the rule allows. */
export function isBroken({ limit }: AbortRule, { ended, failed }: Ends): boolean {
  if ('count' in limit) return failed > limit.count;
  return ended >= limit.least && failed > allowed(limit.share, ended);
}

/** Ended rows or devices before it judges. */
export function leastOf({ limit }: AbortRule): number {
  return 'count' in limit ? 0 : limit.least;
}

/** The rule as it judges when no more are to come. */
export function withoutLeast(rule: AbortRule): AbortRule {
  const { limit } = rule;
  return 'count' in limit ? rule : { ...rule, limit: { share: limit.share, least: 1 } };
}

/** Rows of `ended` that are the share: 29% of 100 is not less than 29, as the product of the two is. */
function allowed(share: number, ended: number): number {
  return share * ended + 1e-9 * ended;
}

/** That a rule is broken, as a sentence without its full stop. */
export function brokenText(rule: AbortRule, { ended, failed }: Ends): string {
  const by = rule.cause === undefined ? '' : ` by ${rule.cause}`;
  const what = rule.of === 'devices' ? 'device' : 'row';
  // A share would be rounded, and may then read like the one that is allowed.
  return `${number(failed)} of ${counted(ended, `ended ${what}`)} failed${by}, more than --abort-when '${formatAbortRule(rule)}' allows`;
}

/** A batch to SQS: fewer rows at a time would be slow and save nobody. */
const LEAST_IN_FLIGHT = 10;

/**
 * Rows that may be in flight while there is the rule. However many of them fail, at most as many fail after its threshold was
 * crossed as the rule lets fail before, or wants to see before it judges: more are in flight only as long as it would
 * tolerate that all of them fail. `Infinity` for devices, which fail long after their rows have ended.
 */
export function toleratedBy({ of, limit }: AbortRule, { ended, failed }: Ends): number {
  if (of === 'devices') return Number.POSITIVE_INFINITY;
  if ('count' in limit) return Math.max(LEAST_IN_FLIGHT, limit.count);
  const { share, least } = limit;
  // All of n rows in flight fail, and failed + n <= share * (ended + n).
  const slack = Math.floor((share * ended - failed) / (1 - share));
  return Math.max(LEAST_IN_FLIGHT, least, slack);
}
