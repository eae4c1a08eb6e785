/**
 * JSON Schemas for the contract that mean the same in every language. PURE.
 *
 * In Python, Java and Perl `$` also matches before a line break at the end, and in Python `\d` matches the digits of every
 * script. So each pattern is paired with the negation of all other characters, and digits are `[0-9]`.
 */
import { z } from 'zod';

/** Matches text of these characters only. @param allowed the content of a character class of a regular expression. */
function wholly(allowed: string): RegExp {
  return new RegExp(`^[${allowed}]+$`);
}

/** Matches any one character outside this class. */
export function anyBut(allowed: string): RegExp {
  return new RegExp(`[^${allowed}]`, 'u');
}

/**
 * A text of 1 to `max` characters.
 * @param allowed the content of a character class to which every character of the text must belong.
 * @param fault the sentence about a text that does not match.
 * @param pattern what the whole text must match, if the class is not enough.
 */
export function limitedText(
  allowed: string,
  max: number,
  fault: string,
  pattern: RegExp = wholly(allowed),
): z.ZodString {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(pattern, fault)
    .meta({ not: { type: 'string', pattern: `[^${allowed}]` } });
}

/** The `$id` of a published schema. It does not change when fields are added, because producers refer to it. */
export function schemaId(name: string): string {
  return `https://ota-updater.invalid/schema/${name}.schema.json`;
}

/** The schema as in its file: one for writers refuses unknown fields if `schema` does, one for readers allows them. */
export function jsonSchemaText(schema: z.ZodType): string {
  return `${JSON.stringify(jsonSchema(schema), null, 2)}\n`;
}

/** As {@link jsonSchemaText}, but as an object. */
function jsonSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
}
