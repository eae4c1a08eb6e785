/** The reason that goes with every change. PURE. */

export const MAX_REASON = 500;

/** What the console says of another. */
export const REASON_NEEDED = `Say why: a reason of 1 to ${MAX_REASON} characters that can be seen is needed, for the log of changes.`;

/** What a reader sees: no blanks, controls, lone halves of characters, or letters that are drawn as nothing. */
const VISIBLE = /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v;

/** @param text without blanks around it. */
export function isReason(text: string): boolean {
  return isVisible(text) && text.length <= MAX_REASON;
}

/** Whether there is anything in it that a reader would see: a log in which nothing can be seen says nothing. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}
