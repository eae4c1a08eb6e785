import { z } from 'zod';

/** The settings of a limit on calls. A limit without `kind` is a bucket. */

const calls = z.number().min(1).max(1_000_000);
const whole = calls.int();

/** Tokens, one for each call; full at first. */
const Bucket = z.strictObject({
  // Optional and with a default: a discriminator with a default alone may not be left out.
  kind: z.literal('bucket').optional().default('bucket'),
  ratePerSecond: z.number().positive(),
  /** The most tokens it holds. */
  burst: z.number().min(1),
  /**
   * 0: refilled continuously. Else the tokens come together, at multiples of this time on the limit's clock; what does not
   * fit into the burst is lost, so the limit is the smaller of the rate and one burst per tick.
   */
  tickMs: z.number().min(0).max(86_400_000).default(0),
});

/** So many calls in a period. */
const Window = z.strictObject({
  kind: z.literal('window'),
  calls: whole,
  periodMs: z.number().positive().max(86_400_000),
  /**
   * false: windows begin at multiples of the period on the limit's clock. true: in no period, wherever it begins, are more
   * calls let through; each call is remembered for a period (no approximation).
   */
  sliding: z.boolean().default(false),
});

/** So many calls that are not answered yet. */
const Concurrency = z.strictObject({ kind: z.literal('concurrency'), calls: whole });

/** A limit that is split between front ends. Each has its part and knows nothing of the others. */
const FrontEnds = z.strictObject({
  kind: z.literal('frontEnds'),
  count: z.number().int().min(1).max(1000),
  /** true: all calls of a connection come to one front end, connections in turn. false: each call comes to any. */
  sticky: z.boolean().default(false),
  /** The limit of all together. A part has a burst, or calls in a window, of at least 1. */
  limit: z.discriminatedUnion('kind', [Bucket, Window]),
});

const Single = z.discriminatedUnion('kind', [Bucket, Window, Concurrency, FrontEnds]);

/** Several limits, each of which a call must pass. */
const All = z.strictObject({ kind: z.literal('all'), limits: z.array(Single).min(1) });

export const LimitSchema = z.discriminatedUnion('kind', [Bucket, Window, Concurrency, FrontEnds, All]);

/** The complete settings of a limit. */
export type LimitSettings = Readonly<z.output<typeof LimitSchema>>;
/** As given: what has a default may be left out, and `kind` too if it is a bucket. */
export type LimitSettingsInput = z.input<typeof LimitSchema>;
/** Those of one kind. */
export type SettingsOf<Kind extends LimitSettings['kind']> = Extract<LimitSettings, { readonly kind: Kind }>;
