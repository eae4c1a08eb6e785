/** Updates near the boundary between what the contract allows and what it refuses. */
import fc from 'fast-check';

/** Characters that end a text for `$` in Python, Java or Perl, digits and letters of other scripts, and lookalikes of a space. */
const oddities = [
  '\n',
  '\r',
  '\r\n',
  '\u0085',
  '\u2028',
  '\u2029',
  '\0',
  '\t',
  '\u00a0',
  '٣',
  '３',
  '߉',
  'é',
  'ſ',
  'K',
  '\ud800',
  '🚀',
  '\ufeff',
];

const alphanumeric = 'abcxyzABCXYZ0189';

/** Values as parsed from JSON, most of them valid updates except for a field or two. None is an envelope around an update. */
function nearMiss(): fc.Arbitrary<unknown> {
  const fields = fc.record(
    {
      Identifier: text(alphanumeric, 200),
      Description: text(`${alphanumeric}_- `, 256),
      TaskConfigurationId: text(alphanumeric, 64),
      JobId: text(`${alphanumeric}_.:-`, 128),
      RequestId: text(`${alphanumeric}_.:-`, 128),
      IssuedAt: issuedAt(),
    },
    { requiredKeys: [] },
  );
  const complete = fields.map((update) => ({ Identifier: 'a', Description: 'b', ...update }));
  const extra = fc.tuple(complete, fc.string(), fc.jsonValue()).map(([update, key, value]) => {
    // Like JSON.parse, also for __proto__.
    return Object.defineProperty({ ...update }, key, { value, enumerable: true, configurable: true });
  });
  return fc.oneof(
    { weight: 8, arbitrary: complete },
    { weight: 4, arbitrary: fields },
    { weight: 2, arbitrary: extra },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

/** The time at which the corpus is judged, in epoch milliseconds: no `IssuedAt` is too late then, which no schema could detect. */
export const corpusTime = Date.parse('9999-12-31T23:59:59Z');

/** A second time, for judges that know the time: many an `IssuedAt` is just early enough, or slightly too late. */
export const corpusNow = Date.parse('2026-11-23T07:00:00.007Z');

/** `count` bodies, the same ones each time: JSON without line breaks. */
export function contractCorpus(count: number): string[] {
  return fc.sample(nearMiss(), { numRuns: count, seed: 18 }).map((value) => JSON.stringify(value));
}

function text(alphabet: string, max: number): fc.Arbitrary<unknown> {
  const unit = fc.constantFrom(...alphabet);
  const edge = fc.constantFrom(0, 1, max - 1, max, max + 1).map((length) => 'a'.repeat(length));
  return fc.oneof(
    { weight: 60, arbitrary: fc.string({ unit, minLength: 1, maxLength: max }) },
    { weight: 4, arbitrary: edge },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme' }) },
    { weight: 3, arbitrary: withOddity(fc.string({ unit, minLength: 1, maxLength: 8 })) },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

function issuedAt(): fc.Arbitrary<unknown> {
  const time = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  const iso = time.map((date) => date.toISOString());
  return fc.oneof(
    { weight: 40, arbitrary: iso },
    { weight: 2, arbitrary: iso.map((written) => written.replace('Z', '+00:00')) },
    { weight: 2, arbitrary: iso.map((written) => written.replace(/[0-9]/, '٢')) },
    { weight: 2, arbitrary: withOddity(iso) },
    {
      weight: 4,
      arbitrary: fc.stringMatching(
        /^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,22})?Z$/,
      ),
    },
    // Leap years and others, including the year 0.
    { weight: 2, arbitrary: fc.stringMatching(/^[0-9]{2}(00|04|[0-9]{2})-02-2[89]T00:00Z$/) },
    { weight: 10, arbitrary: finely(iso) },
    { weight: 10, arbitrary: finely(aroundLatest()) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

/** Around five minutes after {@link corpusNow}. */
function aroundLatest(): fc.Arbitrary<string> {
  return fc.integer({ min: -12, max: 12 }).map((ms) => new Date(corpusNow + 300_000 + ms).toISOString());
}

/** With more digits than milliseconds need, up to more than are allowed; zeros and nines among them. */
function finely(iso: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const digits = fc.oneof(fc.stringMatching(/^[0-9]{0,18}$/), fc.stringMatching(/^[09]{6,18}$/));
  const fraction = fc.oneof(
    digits,
    digits.map((some) => `000${some}`),
  );
  return fc.oneof(
    fc.tuple(iso, digits).map(([written, more]) => written.replace('Z', `${more}Z`)),
    fc.tuple(iso, fraction).map(([written, all]) => written.replace(/[0-9]{3}Z/, `0${all}Z`)),
  );
}

/** With an odd character at its end, at its beginning or in its middle. */
function withOddity(arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const odd = fc.constantFrom(...oddities);
  return fc.tuple(arbitrary, odd, fc.constantFrom(0, 0.5, 1, 1, 1)).map(([written, what, place]) => {
    const at = Math.floor(written.length * place);
    return `${written.slice(0, at)}${what}${written.slice(at)}`;
  });
}
