import { z } from 'zod';
import { Devices } from './devices.ts';
import { LimitSchema } from './limits/index.ts';

/**
 * The settings of the simulated API, from code or over HTTP. Every field has a default: `{}` is an API without limit,
 * latency or faults in which every task exists.
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

/** A range, chosen in proportion to its weight. */
const WeightedLatencyRange = z
  .strictObject({ weight: z.number().positive(), minMs: milliseconds, maxMs: milliseconds })
  .refine(ordered, notOrdered);

const Latency = z.union([LatencyRange, z.array(WeightedLatencyRange).min(1)]);

/** Which tasks exist. */
const Population = z.discriminatedUnion('kind', [
  /** Every Identifier, except those that start with `exceptPrefix` or are in `except`. Only tasks called for are listed. */
  z.strictObject({
    kind: z.literal('all'),
    exceptPrefix: z.string().min(1).nullable().default(null),
    except: z.array(z.string()).default([]),
  }),
  /** Only these. */
  z.strictObject({ kind: z.literal('listed'), identifiers: z.array(identifier) }),
  /** `prefix1` to `prefix<count>`; a task takes memory only once it is called for. */
  z.strictObject({
    kind: z.literal('numbered'),
    prefix: identifier,
    count: z.number().int().min(0).max(1_000_000_000),
  }),
]);

/** Which task configurations exist in addition to those that are created. */
const Configurations = z.discriminatedUnion('kind', [
  /**
   * Every id, except those that start with `exceptPrefix`. Listed are the initial configurations of tasks, and those called for.
   */
  z.strictObject({ kind: z.literal('all'), exceptPrefix: z.string().min(1).nullable().default(null) }),
  /** Only these. */
  z.strictObject({ kind: z.literal('listed'), ids: z.array(z.string().min(1)) }),
]);

/** The operations of the service. */
const operations = [
  'UpdateOtaTask',
  'GetOtaTask',
  'ListOtaTasks',
  'ListOtaTaskExecutions',
  'CreateOtaTaskConfiguration',
  'GetOtaTaskConfiguration',
  'ListOtaTaskConfigurations',
] as const;
export type Operation = (typeof operations)[number];

/** The faults, each a share of UpdateOtaTask calls from 0 to 1. */
export const faultNames = [
  'internalError',
  'throttle',
  'hang',
  'reset',
  'resetAfterApply',
  'html503',
] as const;
export type Fault = (typeof faultNames)[number];

/** Shares of UpdateOtaTask calls with a fault; together at most 1. */
const Faults = z
  .strictObject({
    /** 500 InternalServerException, not applied. */
    internalError: share.default(0),
    /** 429 regardless of the limit, not applied. */
    throttle: share.default(0),
    /** The Retry-After of those 429s, in seconds; null for no such header. */
    throttleRetryAfterSeconds: z.number().int().min(0).nullable().default(null),
    /** No answer until the client gives up, not applied. */
    hang: share.default(0),
    /** The connection is reset, not applied. */
    reset: share.default(0),
    /** The update takes effect, then the connection is reset. */
    resetAfterApply: share.default(0),
    /** 503 with an HTML page, as from a proxy, not applied. */
    html503: share.default(0),
  })
  .refine((shares) => faultNames.reduce((sum, name) => sum + shares[name], 0) <= 1 + 1e-9, {
    error: 'the shares add up to more than 1',
  });

export const SimulatedApiSettings = z.strictObject({
  /** Limit of UpdateOtaTask; null for none. */
  limit: LimitSchema.nullable().default(null),
  /** Whether the other operations count towards the same limit. */
  limitReads: z.boolean().default(false),
  /** Retry-After of the limit's 429s, in seconds; null for no such header. */
  retryAfterSeconds: z.number().int().min(0).nullable().default(null),
  /** `x-amz-retry-after` of every 429, in milliseconds; null for no such header. */
  awsRetryAfterMs: z.number().int().min(0).nullable().default(null),
  /** Time before each answer: a range, or weighted ranges. */
  latency: Latency.default({ minMs: 0, maxMs: 0 }),
  /** Added to the time before an answer for each call in flight when the call arrives. */
  latencyPerCallInFlightMs: milliseconds.default(0),
  faults: Faults.prefault({}),
  /** 403 ExpiredTokenException for every request. */
  expiredCredentials: z.boolean().default(false),
  /** 403 AccessDeniedException for no request, for all, or for these Identifiers. */
  denied: z
    .union([z.enum(['none', 'all']), z.array(z.string()), z.strictObject({ prefix: z.string().min(1) })])
    .default('none'),
  /** 403 AccessDeniedException for these operations. */
  deniedOperations: z.array(z.enum(operations)).default([]),
  /** 500 for every request, including reads. */
  down: z.boolean().default(false),
  tasks: Population.prefault({ kind: 'all' }),
  configurations: Configurations.prefault({ kind: 'all' }),
  /** Whether UpdateOtaTask answers 404 for a configuration that does not exist. AWS does not document its behaviour. */
  refuseUnknownConfigurations: z.boolean().default(false),
  devices: Devices.prefault({}),
});

/** Complete settings. */
export type SimulatedApiSettings = Readonly<z.output<typeof SimulatedApiSettings>>;
/** Settings as given: every field optional. */
export type SimulatedApiSettingsInput = z.input<typeof SimulatedApiSettings>;
/** A change of settings. Omitted fields stay; `faults` is merged field by field, other fields are replaced as a whole. */
export type SimulatedApiSettingsPatch = Omit<SimulatedApiSettingsInput, 'faults'> & {
  readonly faults?: Partial<z.input<typeof Faults>> | undefined;
};
export type LatencySettings = z.output<typeof Latency>;
export type FaultSettings = z.output<typeof Faults>;
export type ConfigurationSettings = z.output<typeof Configurations>;
export type PopulationSettings = z.output<typeof Population>;

/** Invalid settings, or an invalid script; `faults` has a line for each problem. */
export class InvalidSettingsError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`not valid: ${faults.join('; ')}`);
    this.name = 'InvalidSettingsError';
    this.faults = faults;
  }
}

/** @throws InvalidSettingsError with every problem. */
export function parseOrRefuse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidSettingsError(result.error.issues.flatMap((issue) => describe(issue, [])));
}

/**
 * The settings after `patch`.
 * @throws InvalidSettingsError with every problem.
 */
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
    // The intended branch is the one with problems inside the value, not at its root.
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
