/** The reason that goes with every change. PURE. */

export const MAX_REASON = 500;

/** @param text without blanks around it. */
export function isReason(text: string): boolean {
  return text !== '' && text.length <= MAX_REASON;
}
