/** Lists of names and values in one variable, in OpenTelemetry's form (W3C Baggage without properties). PURE. */

/** @returns undefined if a part is not a pair, or cannot be used. */
export function pairsOf(
  text: string,
  canBeUsed: (name: string, value: string) => boolean,
): Record<string, string> | undefined {
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = decoded(part.slice(0, Math.max(at, 0)));
    const value = decoded(part.slice(at + 1));
    if (!name || value === undefined || !canBeUsed(name, value)) return undefined;
    pairs.push([name, value]);
  }
  return Object.fromEntries(pairs);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}
