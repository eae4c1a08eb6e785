/** Texts for properties that must hold for any text. */
import fc from 'fast-check';

const SURROGATES = { from: 0xd800, to: 0xdfff };
const COUNT = SURROGATES.to - SURROGATES.from + 1;

const codePoint = fc.integer({ min: 0, max: 0x10ffff - COUNT }).map(
  (place) => String.fromCodePoint(place < SURROGATES.from ? place : place + COUNT),
  (text) => {
    const code = typeof text === 'string' ? (text.codePointAt(0) ?? Number.NaN) : Number.NaN;
    if (Number.isNaN(code) || String.fromCodePoint(code) !== text) throw new Error('not one code point');
    return code < SURROGATES.from ? code : code - COUNT;
  },
);

/**
 * Any text of whole code points: fast-check's `unit: 'binary'` without its table of all code points, which took every test process
 * a second to build.
 */
export function anyText(
  constraints: Readonly<Omit<fc.StringConstraints, 'unit'>> = {},
): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: codePoint });
}
