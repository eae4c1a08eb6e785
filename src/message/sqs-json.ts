/** JSON as SQS takes it, in a body or in an attribute. */

/** JSON of which every character may go to SQS raw: control characters and U+FFFE, U+FFFF as escapes. */
export function toSqsJson(value: unknown): string {
  // JSON.stringify escapes C0 controls and lone surrogates itself.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
