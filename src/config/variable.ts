/** The definition of a setting, and building blocks for its schema. PURE. */
import { z } from 'zod';

/** One setting. `T` is the type of its value. */
export interface Variable<T> {
  readonly name: string;
  /** From text to value; an error message says what is accepted. */
  readonly schema: z.ZodType<T, string>;
  /** The text used if the variable is not set. */
  readonly fallback?: string;
  /** Whether the worker needs it. */
  readonly required?: true;
  readonly doc: string;
}

/** undefined: `off`. */
export const port = z.union([z.literal('off').transform(() => undefined), integer(0, 65_535)], {
  error: 'must be a port from 0 (any free one) to 65535, or "off"',
});

export function integer(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, error)
    .transform(Number)
    .refine((n) => n >= min && n <= max, error);
}

export function required<T>(name: string, schema: z.ZodType<T, string>, doc: string) {
  return { name, schema, required: true, doc } satisfies Variable<T>;
}

export function optional<T>(
  name: string,
  schema: z.ZodType<T, string>,
  doc: string,
): Variable<T | undefined> {
  return { name, schema, doc };
}

export function withDefault<T>(
  name: string,
  schema: z.ZodType<T, string>,
  fallback: string,
  doc: string,
): Variable<T> {
  return { name, schema, fallback, doc };
}
