import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTraceHeader, readTraceparent, traceparentOf } from '../../src/message/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const good = `00-${traceId}-${spanId}-01`;

describe('readTraceparent', () => {
  test('reads ids and the flag of sampling', () => {
    expect(readTraceparent(good)).toEqual({ traceId, spanId, sampled: true });
    expect(readTraceparent(`00-${traceId}-${spanId}-00`)).toEqual({ traceId, spanId, sampled: false });
    expect(readTraceparent(`cc-${traceId}-${spanId}-03`)).toEqual({ traceId, spanId, sampled: true });
  });

  test('passes tracestate on where it is printable and short', () => {
    expect(readTraceparent(good, 'vendor=1')).toMatchObject({ state: 'vendor=1' });
    for (const state of ['a=\n', '', 'x'.repeat(513), 7, 'a=ü'])
      expect(readTraceparent(good, state)).toEqual({ traceId, spanId, sampled: true });
  });

  test.each([
    ['nothing', undefined],
    ['no text', 7],
    ['a list', [good]],
    ['an empty text', ''],
    ['a line break behind it', `${good}\n`],
    ['a line break before it', `\n${good}`],
    ['capital letters', good.toUpperCase()],
    ['the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['one digit less', `00-${traceId.slice(1)}-${spanId}-01`],
    ['one digit more', `00-${traceId}0-${spanId}-01`],
    ['no flags', `00-${traceId}-${spanId}`],
    ['more behind it', `${good}-what`],
    ['other digits', `00-${traceId.slice(1)}٣-${spanId}-01`],
    ['a megabyte', good.repeat(20_000)],
  ])('takes %s for no context', (_name, text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });

  test('never throws, and reads only what it would write', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.stringMatching(/^[0-9a-f-]{50,60}$/)), (value) => {
        const context = readTraceparent(value, value);
        if (context !== undefined)
          expect(String(value).slice(2, -2)).toBe(traceparentOf(context).slice(2, -2));
      }),
    );
  });
});

describe('readTraceHeader', () => {
  const root = '1-5759e988-bd862e3fe1be46a994272793';

  test('reads what X-Ray writes', () => {
    expect(readTraceHeader(`Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`)).toEqual({
      traceId: '5759e988bd862e3fe1be46a994272793',
      spanId: '53995c3f42cd8ad8',
      sampled: true,
    });
    expect(readTraceHeader(`Parent=53995c3f42cd8ad8;Root=${root};Lineage=a:0`)).toMatchObject({
      sampled: false,
    });
  });

  test.each([
    ['nothing', undefined],
    ['no parent', `Root=${root};Sampled=1`],
    ['a parent of zeros', `Root=${root};Parent=${'0'.repeat(16)}`],
    ['a root of zeros', `Root=1-${'0'.repeat(8)}-${'0'.repeat(24)};Parent=53995c3f42cd8ad8`],
    ['another version', `Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8`],
    ['a text without end', `Root=${root};Parent=53995c3f42cd8ad8;${'x'.repeat(300)}`],
  ])('takes %s for no context', (_name, text) => {
    expect(readTraceHeader(text)).toBeUndefined();
  });
});
