import { z } from 'zod';

/** The settings of a limit on calls. A limit without `kind` is a bucket. */

const calls = z.number().min(1).max(1_000_000);
const whole = calls.int();

/** Tokens, one for each call; full at first. */
const Bucket = z.strictObject({
  // Both optional and with a default: a discriminator that only has a default may not be left out.
  kind: z.literal('bucket').optional().default('bucket'),
  ratePerSecond: z.number().positive(),
  /** The most tokens it holds. */
  burst: z.number().min(1),
  /**
   * 0: refilled continuously. Otherwise tokens come together, at multiples of this time on the limit's clock. Tokens that
   * do not fit into the burst are lost, so the effective limit is the smaller of the rate and one burst per tick.
   */
  tickMs: z.number().min(0).max(86_400_000).default(0),
});

/** A number of calls per period. */
const Window = z.strictObject({
  kind: z.literal('window'),
  calls: whole,
  periodMs: z.number().positive().max(86_400_000),
  /**
   * false: windows begin at multiples of the period on the limit's clock. true: the limit holds for every period, wherever
   * it begins; each call is remembered for a period (no approximation).
   */
  sliding: z.boolean().default(false),
});

/** A number of calls in flight. */
const Concurrency = z.strictObject({ kind: z.literal('concurrency'), calls: whole });

/** A limit that is split between front ends. Each has its own part and does not know the others. */
const FrontEnds = z.strictObject({
  kind: z.literal('frontEnds'),
  count: z.number().int().min(1).max(1000),
  /**
   * true: all calls of a connection go to one front end, connections in rotation. false: each call goes to a random one.
   */
  sticky: z.boolean().default(false),
  /** The limit of all front ends together. Each part has a burst, or calls in a window, of at least 1. */
  limit: z.discriminatedUnion('kind', [Bucket, Window]),
});

const Single = z.discriminatedUnion('kind', [Bucket, Window, Concurrency, FrontEnds]);

/** Several limits; a call must pass all of them. */
const All = z.strictObject({ kind: z.literal('all'), limits: z.array(Single).min(1) });

export const LimitSchema = z.discriminatedUnion('kind', [Bucket, Window, Concurrency, FrontEnds, All]);

/** The complete settings of a limit. */
export type LimitSettings = Readonly<z.output<typeof LimitSchema>>;
/** As given: fields with a default may be left out, and so may `kind` for a bucket. */
export type LimitSettingsInput = z.input<typeof LimitSchema>;
/** The settings of one kind. */
export type SettingsOf<Kind extends LimitSettings['kind']> = Extract<LimitSettings, { readonly kind: Kind }>;
