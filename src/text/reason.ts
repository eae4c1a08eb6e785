/** The reason given with every change. PURE. */

export const MAX_REASON = 500;

/** What the console says about an invalid reason. */
export const REASON_NEEDED = `Say why: the log of changes needs a visible reason of 1 to ${MAX_REASON} characters.`;

/** What a reader sees: excludes blanks, controls, lone surrogates, and letters that are drawn as nothing. */
const VISIBLE = /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v;

/** @param text without surrounding blanks. */
export function isReason(text: string): boolean {
  return isVisible(text) && text.length <= MAX_REASON;
}

/** Whether it contains anything visible: an invisible reason is no use in a log. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}
