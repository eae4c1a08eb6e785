/** Lists of names and values in one variable, as OpenTelemetry writes them (W3C Baggage without properties). PURE. */

/** @returns undefined where a part is no pair, or one that cannot be used. */
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
