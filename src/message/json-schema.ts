/**
 * JSON Schemas of the contract that say the same in every language. PURE.
 *
 * In Python, Java and Perl `$` also matches before a line break at the end, and in Python `\d` matches the digits of every
 * script. Hence each pattern stands beside the negation of all other characters, and digits are `[0-9]`.
 */
import { z } from 'zod';

/** A text of these characters alone. @param allowed the content of a character class of a regular expression. */
function wholly(allowed: string): RegExp {
  return new RegExp(`^[${allowed}]+$`);
}

/** One character that is none of these. */
export function anyBut(allowed: string): RegExp {
  return new RegExp(`[^${allowed}]`, 'u');
}

/**
 * A text of 1 to `max` characters.
 * @param allowed the content of a character class: every character of the text is of it.
 * @param fault the sentence about a text that does not match.
 * @param pattern what the text as a whole must match, where the class does not say all.
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

/** The `$id` of a published schema. It stays as it is when fields are added: producers refer to it. */
export function schemaId(name: string): string {
  return `https://ota-updater.invalid/schema/${name}.schema.json`;
}

/** The schema as its file has it: one for writers refuses unknown fields where `schema` does, one for readers allows them. */
export function jsonSchemaText(schema: z.ZodType): string {
  return `${JSON.stringify(jsonSchema(schema), null, 2)}\n`;
}

/** The same, as an object. */
function jsonSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
}
