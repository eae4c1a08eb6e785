import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateSchema } from '../../src/message/update.ts';
import { anyText } from '../../testing/any-text.ts';

const sentAt = Date.parse('2026-11-23T07:00:00Z');
const update = { Identifier: 'a1B2c3', TaskConfigurationId: 'cfgB7' };

const bare = (value: unknown): string => JSON.stringify(value);

/** As SNS delivers it without raw message delivery. */
const sns = (message: string): string =>
  JSON.stringify({
    Type: 'Notification',
    MessageId: '5d3c5a2e-2c62-5c5b-8c71-07a0b4d7f7a5',
    TopicArn: 'arn:aws:sns:eu-west-1:123456789012:updates',
    Message: message,
    Timestamp: '2026-11-23T07:00:00.000Z',
    SignatureVersion: '1',
    Signature: 'EXAMPLE',
    UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
  });

/** As EventBridge delivers it. */
const eventBridge = (detail: unknown): string =>
  JSON.stringify({
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'OTA task update',
    source: 'fleet.planner',
    account: '123456789012',
    time: '2026-11-23T07:00:00Z',
    region: 'eu-west-1',
    resources: [],
    detail,
  });

/** As CloudEvents 1.0 have it in their JSON format. */
const cloudEvent = (payload: Record<string, unknown>): string =>
  JSON.stringify({
    specversion: '1.0',
    id: 'A234-1234-1234',
    source: '/fleet/planner',
    type: 'com.example.ota.update',
    subject: 'a1B2c3',
    time: '2026-11-23T07:00:00Z',
    datacontenttype: 'application/json',
    ...payload,
  });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('parseBody', () => {
  test.each([
    ['bare', bare(update)],
    ['bare with white space around it', `\r\n\t ${bare(update)} \n`],
    ['behind a byte order mark', `\uFEFF${bare(update)}`],
  ])('finds the update %s', (_, body) => {
    expect(parseBody(body, sentAt)).toEqual({ ok: true, update });
  });

  test.each([
    ['in an SNS notification', sns(bare(update))],
    ['in an SNS notification, behind a byte order mark', sns(`\uFEFF${bare(update)}`)],
    ['in an EventBridge event', eventBridge(update)],
    ['in an EventBridge event as text', eventBridge(bare(update))],
    ['in an EventBridge event in an SNS notification', sns(eventBridge(update))],
    ['in a CloudEvent', cloudEvent({ data: update })],
    ['in a CloudEvent as text', cloudEvent({ data: bare(update), datacontenttype: 'text/plain' })],
    ['in a CloudEvent as base64', cloudEvent({ data_base64: base64(bare(update)) })],
    ['in a CloudEvent of a later version', cloudEvent({ specversion: '1.1', data: update })],
    [
      'in a CloudEvent whose time is in small letters',
      cloudEvent({ data: update, time: '2026-11-23t07:00:00z' }),
    ],
    ['in a CloudEvent in an SNS notification', sns(cloudEvent({ data: update }))],
    ['in a CloudEvent in an EventBridge event', eventBridge(JSON.parse(cloudEvent({ data: update })))],
  ])('finds the update %s, and when the event was', (_, body) => {
    expect(parseBody(body, sentAt)).toEqual({ ok: true, update, eventAt: sentAt });
  });

  test.each([
    ['three SNS notifications', sns(sns(sns(bare(update))))],
    ['an EventBridge event in two SNS notifications', sns(sns(eventBridge(update)))],
    ['three EventBridge events', eventBridge(eventBridge(eventBridge(update)))],
  ])('refuses an update nested in %s', (_, body) => {
    expect(parseBody(body, sentAt)).toMatchObject({
      ok: false,
      message: expect.stringContaining('unknown field'),
    });
  });

  test.each([
    ['nothing', '', 'the body is empty'],
    ['white space', ' \n\t', 'the body is empty'],
    ['text', 'update a1 please', 'the body is not JSON'],
    ['JSON that is cut off', bare(update).slice(0, -1), 'the body is not JSON'],
    ['JSON with more behind it', `${bare(update)}{}`, 'the body is not JSON'],
    ['JSON behind two byte order marks', `\uFEFF\uFEFF${bare(update)}`, 'the body is not JSON'],
    ['single quotes', `{'Identifier':'a'}`, 'the body is not JSON'],
    ['NaN', '{"Identifier":NaN}', 'the body is not JSON'],
    ['a raw NUL', '{"Identifier":"a\0"}', 'the body is not JSON'],
    ['null', 'null', 'not a JSON object'],
    ['a list of updates', bare([update]), 'not a JSON object'],
    ['a number', '7', 'not a JSON object'],
    ['a number beyond all bounds', '1e999', 'not a JSON object'],
    [
      'an update encoded twice',
      bare(bare(update)),
      'the body is a JSON text inside a JSON string: it was encoded twice',
    ],
    [
      'an update encoded twice in a notification',
      sns(bare(bare(update))),
      'in the envelope: the body is a JSON text inside a JSON string: it was encoded twice',
    ],
    ['a text that is JSON', bare('hello'), 'not a JSON object'],
    ['a text with a brace', bare('{hello}'), 'not a JSON object'],
    ['a notification of nothing', sns(''), 'in the envelope: the body is empty'],
    ['a notification of text', sns('hello'), 'in the envelope: the body is not JSON'],
    ['an event without detail', eventBridge(null), 'not a JSON object'],
    ['a CloudEvent of null', cloudEvent({ data: null }), 'not a JSON object'],
    [
      'a CloudEvent whose base64 is none',
      cloudEvent({ data_base64: '***' }),
      'in the envelope: the body is empty',
    ],
  ])('refuses %s', (_, body, message) => {
    expect(parseBody(body, sentAt)).toEqual({ ok: false, message, ids: {} });
  });

  test.each([
    ['an SNS notification whose Message is an object', bare({ Type: 'Notification', Message: update })],
    ['an SNS subscription', bare({ Type: 'SubscriptionConfirmation', Message: bare(update) })],
    ['an EventBridge event without source', bare({ 'detail-type': 'x', detail: update })],
    ['a CloudEvent of another major version', cloudEvent({ specversion: '0.3', data: update })],
    ['a CloudEvent without an id', cloudEvent({ id: undefined, data: update })],
    ['a CloudEvent without data', cloudEvent({})],
  ])('does not unwrap %s', (_, body) => {
    expect(parseBody(body, sentAt)).toMatchObject({
      ok: false,
      message: expect.stringContaining('unknown field'),
    });
  });

  test('takes the last of two fields with the same name, as JSON.parse does', () => {
    const body = '{"Identifier":"first","Identifier":"last","Description":"b"}';
    expect(parseBody(body, sentAt)).toEqual({ ok: true, update: { Identifier: 'last', Description: 'b' } });
  });

  test('checks IssuedAt against the sent time inside envelopes, too', () => {
    const late = bare({ ...update, IssuedAt: '2026-11-23T07:05:00.001Z' });
    const inTime = { ...update, IssuedAt: '2026-11-23T07:05:00Z' };
    expect(parseBody(sns(late), sentAt)).toMatchObject({ ok: false, ids: { identifier: 'a1B2c3' } });
    expect(parseBody(sns(bare(inTime)), sentAt)).toEqual({ ok: true, update: inTime, eventAt: sentAt });
  });

  test('returns the ids of an invalid update inside an envelope', () => {
    const body = sns(bare({ ...update, JobId: 'j1', RequestId: 'r1', Extra: true }));
    expect(parseBody(body, sentAt)).toMatchObject({
      ok: false,
      ids: { identifier: 'a1B2c3', jobId: 'j1', requestId: 'r1' },
    });
  });
});

describe('parseBody with hostile bodies', () => {
  const deep = 100_000;

  test.each([
    ['100,000 open lists', '['.repeat(deep)],
    ['100,000 lists in each other', '['.repeat(deep) + ']'.repeat(deep)],
    ['100,000 objects in each other', `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ['1 MiB of open lists', '['.repeat(1_048_576)],
    ['deep lists as a field', `{"Identifier":${'['.repeat(deep)}${']'.repeat(deep)},"Description":"b"}`],
    [
      'deep lists as a detail',
      `{"detail-type":"x","source":"y","detail":${'['.repeat(deep)}${']'.repeat(deep)}}`,
    ],
    ['1 MiB of backslashes', `"${'\\\\'.repeat(524_288)}"`],
    ['1 MiB of digits', '9'.repeat(1_048_576)],
  ])('refuses %s', (_, body) => {
    expect(parseBody(body, sentAt)).toMatchObject({ ok: false });
  });

  test.each([
    ['a number for text', '{"Identifier":1,"Description":"b"}', /^Identifier: /],
    ['an escaped NUL', '{"Identifier":"a\\u0000","Description":"b"}', /^Identifier: /],
    ['an escaped lone surrogate', '{"Identifier":"a","Description":"\\ud800"}', /^Description: /],
    ['a raw lone surrogate', '{"Identifier":"a","Description":"\ud800"}', /^Description: /],
    ['a field called __proto__', '{"Identifier":"a","Description":"b","__proto__":{}}', /"__proto__"/],
    [
      'a prototype that would bring fields',
      '{"__proto__":{"Identifier":"a","Description":"b"}}',
      /^Identifier: /,
    ],
    ['an envelope by prototype', '{"__proto__":{"Type":"Notification","Message":"{}"}}', /^Identifier: /],
  ])('refuses %s by name', (_, body, message) => {
    expect(parseBody(body, sentAt)).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });

  test('does not pollute prototypes', () => {
    parseBody('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}', sentAt);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('does not quote a body that is not JSON', () => {
    const check = parseBody('password=hunter2', sentAt);
    expect(JSON.stringify(check)).not.toContain('hunter2');
  });

  test('truncates the name of an unknown field, and keeps the message well-formed', () => {
    const name = `${'x'.repeat(79)}🚀${'y'.repeat(5_000)}`;
    const check = parseBody(bare({ ...update, [name]: 1 }), sentAt);
    const message = check.ok ? '' : check.message;
    expect(message.length).toBeLessThan(400);
    expect(message.isWellFormed()).toBe(true);
  });

  test('never throws', () => {
    const any = fc.oneof(
      anyText(),
      fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
      fc.json(),
      fc.json().map(sns),
      fc.jsonValue().map(eventBridge),
      fc.jsonValue().map((data) => cloudEvent({ data })),
      fc.string().map((text) => cloudEvent({ data_base64: text })),
      fc.string().map(sns),
    );
    fc.assert(
      fc.property(any, fc.double(), (body, at) => {
        expect(parseBody(body, at)).toHaveProperty('ok');
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads the same update bare and in each envelope', () => {
    const field = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern, { size: 'medium' });
    const anyUpdate = fc
      .record(
        {
          Identifier: field(/^[A-Za-z0-9]{1,200}$/),
          Description: field(/^[0-9A-Za-z_\- ]{1,256}$/),
          TaskConfigurationId: field(/^[A-Za-z0-9]{1,64}$/),
          JobId: field(/^[0-9A-Za-z_.:-]{1,128}$/),
          RequestId: field(/^[0-9A-Za-z_.:-]{1,128}$/),
          IssuedAt: fc
            .date({ min: new Date(0), max: new Date(sentAt), noInvalidDate: true })
            .map((date) => date.toISOString()),
        },
        { requiredKeys: ['Identifier'] },
      )
      .filter((value) => updateSchema.safeParse(value).success);
    fc.assert(
      fc.property(anyUpdate, (value) => {
        const event = cloudEvent({ data: value });
        const bodies = [bare(value), sns(bare(value)), eventBridge(value), sns(eventBridge(value)), event];
        const expected = { ok: true, update: value };
        const [first, ...others] = bodies.map((body) => parseBody(body, sentAt));
        expect(first).toEqual(expected);
        expect(others).toEqual(others.map(() => ({ ...expected, eventAt: sentAt })));
      }),
      { numRuns: 500 },
    );
  });
});
