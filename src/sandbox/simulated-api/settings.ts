import { z } from 'zod';

/**
 * What the simulated API can be told, from code or over HTTP. One schema describes it; every field has a
 * default, so `{}` is an API without limit, latency or fault in which every task exists.
 */

const milliseconds = z.number().min(0).max(86_400_000);
const share = z.number().min(0).max(1);
const identifier = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9]+$/, { error: 'must be 1-200 letters and digits' });

const ordered = (range: { readonly minMs: number; readonly maxMs: number }) => range.minMs <= range.maxMs;
const notOrdered = { error: 'minMs must not exceed maxMs' };

/** Milliseconds, drawn uniformly. */
const LatencyRange = z.strictObject({ minMs: milliseconds, maxMs: milliseconds }).refine(ordered, notOrdered);

/** A range with the weight it is chosen by; weights need not add up to anything. */
const WeightedLatencyRange = z
  .strictObject({ weight: z.number().positive(), minMs: milliseconds, maxMs: milliseconds })
  .refine(ordered, notOrdered);

const Latency = z.union([LatencyRange, z.array(WeightedLatencyRange).min(1)]);

/** A token bucket: full at first, `burst` tokens at most. */
const RateLimit = z.strictObject({
  ratePerSecond: z.number().positive(),
  burst: z.number().min(1),
});

/** Which tasks exist. */
const Population = z.discriminatedUnion('kind', [
  /** Every Identifier, but those that start with `exceptPrefix` or are in `except`. Lists only tasks seen. */
  z.strictObject({
    kind: z.literal('all'),
    exceptPrefix: z.string().min(1).nullable().default(null),
    except: z.array(z.string()).default([]),
  }),
  /** These and no others. */
  z.strictObject({ kind: z.literal('listed'), identifiers: z.array(identifier) }),
  /** `prefix1` to `prefix<count>`; costs no memory until touched. */
  z.strictObject({
    kind: z.literal('numbered'),
    prefix: identifier,
    count: z.number().int().min(0).max(1_000_000_000),
  }),
]);

/** Shares of UpdateOtaTask calls (0-1, together at most 1) that meet a fault instead of an answer. */
const Faults = z
  .strictObject({
    /** 500 InternalServerException, nothing applied. */
    internalError: share.default(0),
    /** 429 with Retry-After, nothing applied. */
    throttle: share.default(0),
    /** The Retry-After of those 429s, in seconds. */
    throttleRetryAfterSeconds: z.number().int().min(0).default(1),
    /** No answer until the client gives up, nothing applied. */
    hang: share.default(0),
    /** The connection is reset, nothing applied. */
    reset: share.default(0),
    /** The update takes effect, then the connection is reset. */
    resetAfterApply: share.default(0),
    /** 503 with an HTML page, as from a proxy, nothing applied. */
    html503: share.default(0),
  })
  .refine(
    (f) => f.internalError + f.throttle + f.hang + f.reset + f.resetAfterApply + f.html503 <= 1 + 1e-9,
    {
      error: 'the shares add up to more than 1',
    },
  );

export const SimulatedApiSettings = z.strictObject({
  /** Limit of UpdateOtaTask; null for none. */
  limit: RateLimit.nullable().default(null),
  /** Whether GetOtaTask and ListOtaTasks draw on the same limit. */
  limitReads: z.boolean().default(false),
  /** Retry-After of the limit's 429s, in seconds; null for no such header. */
  retryAfterSeconds: z.number().int().min(0).nullable().default(null),
  /** Time before any answer: a range, or weighted ranges. */
  latency: Latency.default({ minMs: 0, maxMs: 0 }),
  faults: Faults.prefault({}),
  /** 403 ExpiredTokenException to all. */
  expiredCredentials: z.boolean().default(false),
  /** 403 AccessDeniedException to none, to all, or to these Identifiers. */
  denied: z
    .union([z.enum(['none', 'all']), z.array(z.string()), z.strictObject({ prefix: z.string().min(1) })])
    .default('none'),
  /** Every request, reads included, is answered by 500. */
  down: z.boolean().default(false),
  tasks: Population.prefault({ kind: 'all' }),
});

/** The settings, complete. */
export type SimulatedApiSettings = Readonly<z.output<typeof SimulatedApiSettings>>;
/** The settings as one gives them: everything optional. */
export type SimulatedApiSettingsInput = z.input<typeof SimulatedApiSettings>;
/** A change of settings: fields left out stay; `faults` merges field by field, the rest is replaced whole. */
export type SimulatedApiSettingsPatch = Omit<SimulatedApiSettingsInput, 'faults'> & {
  readonly faults?: Partial<z.input<typeof Faults>> | undefined;
};
export type LatencySettings = z.output<typeof Latency>;
export type FaultSettings = z.output<typeof Faults>;
export type LimitSettings = z.output<typeof RateLimit>;
export type PopulationSettings = z.output<typeof Population>;

/** Settings or a script that the schema refuses; `faults` has one line for each thing wrong. */
export class InvalidSettingsError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`not valid: ${faults.join('; ')}`);
    this.name = 'InvalidSettingsError';
    this.faults = faults;
  }
}

/** Parses with `schema`, or throws an {@link InvalidSettingsError} that lists every fault. */
export function parseOrRefuse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidSettingsError(result.error.issues.flatMap((issue) => describe(issue, [])));
}

/** The settings after `patch`; throws an {@link InvalidSettingsError} and leaves `current` as it was. */
export function mergeSettings(current: SimulatedApiSettings, patch: unknown): SimulatedApiSettings {
  if (!isObject(patch)) throw new InvalidSettingsError(['settings: expected an object']);
  const merged: Record<string, unknown> = { ...current, ...withoutUndefined(patch) };
  if (isObject(patch.faults)) {
    merged.faults = { ...current.faults, ...withoutUndefined(patch.faults) };
  }
  return Object.freeze(parseOrRefuse(SimulatedApiSettings, merged));
}

function describe(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): string[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    // The branch that was meant is the one whose faults lie inside the value, not at its root.
    const meant = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
    if (meant && meant.length > 0) return meant.flatMap((inner) => describe(inner, path));
  }
  return [`${path.length === 0 ? 'value' : path.map(String).join('.')}: ${issue.message}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
