/** Lists of names and values in one variable, as OpenTelemetry writes them (W3C Baggage without properties). PURE. */

/** Printable: a value that goes into a header or a span must break neither. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** @returns undefined where a part is no pair, or its name none. */
export function pairsOf(text: string, isName: (name: string) => boolean): Record<string, string> | undefined {
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = decoded(part.slice(0, Math.max(at, 0)));
    const value = decoded(part.slice(at + 1));
    if (!name || value === undefined || !isName(name)) return undefined;
    pairs.push([name, value]);
  }
  return Object.fromEntries(pairs);
}

function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text.trim());
    return PRINTABLE.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
