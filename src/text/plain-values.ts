/** Values that were stored as JSON, in words. PURE. */
import { number } from './numbers.ts';

type Values = Readonly<Record<string, unknown>>;

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `startAt` becomes `start at`. */
export function nameInWords(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => ` ${letters.toLowerCase()}`).trim();
}

/** `letters 12, where State=x, force`: the values that are set. Not escaped. */
export function plainValues(values: Values): string {
  const parts = Object.entries(values).flatMap(([name, value]) => {
    const text = plainValue(value);
    if (text === '') return [];
    return value === true ? [nameInWords(name)] : [`${nameInWords(name)} ${text}`];
  });
  return parts.join(', ');
}

/** Empty for values that say nothing: null, false, 0, an empty list. */
function plainValue(value: unknown): string {
  if (typeof value === 'number') return value === 0 ? '' : number(value);
  if (typeof value === 'string')
    return /^https?:\/\//.test(value) ? (value.split('/').at(-1) ?? value) : value;
  if (value === true) return 'yes';
  if (Array.isArray(value))
    return value
      .map(plainValue)
      .filter((text) => text !== '')
      .join(' and ');
  if (!isValues(value)) return '';
  const inner = plainValues(value);
  return inner === '' ? '' : `(${inner})`;
}
