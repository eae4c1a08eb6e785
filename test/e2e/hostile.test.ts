/** Hostile bodies, with a real worker process: none stops it, none appears unescaped in its log, each is settled correctly. */
import { afterEach, expect, test } from 'vitest';
import { runWorker } from '../../testing/processes/worker.ts';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const MAX_BYTES = 1_048_576;
/** Characters that SQS accepts and that mislead a terminal or a reader. */
const raw = '\u007f\u0085\u009b\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029\ufeff\ufffd';
/** Characters that SQS accepts only as an escape: NUL, BEL, ESC sequences, lone surrogates, noncharacters. */
const escaped = String.raw`\u0000\u0007\u001b[2J\u001b]0;owned\u0007\ud800\udc00\udfff\ufffe\uffff`;
const deep = (depth: number, inner = '1'): string => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const sns = (message: string): string => JSON.stringify({ Type: 'Notification', Message: message });

/** A body, and the message of its dead letter. */
const invalid: readonly (readonly [string, string | RegExp])[] = [
  [`${raw} no JSON`, 'the body is not JSON'],
  [deep(200_000), 'not a JSON object'],
  [objects(100_000), /Identifier: is missing.*unknown field "a"/],
  [`{"Identifier":${deep(100_000)},"Description":"x"}`, /^Identifier: /],
  [`{"Identifier":"task1","Description":${objects(50_000)}}`, /^Description: /],
  [sns(deep(100_000)), 'not a JSON object'],
  ['{"__proto__":{"Identifier":"task1","Description":"x"}}', /Identifier: is missing/],
  ['{"Identifier":"task1","Description":"x","__proto__":{"admin":true}}', /unknown field "__proto__"/],
  ['{"Identifier":"task1","Description":"x","constructor":{"prototype":{}}}', /unknown field "constructor"/],
  ['{"Identifier":"task1","Description":"x","toString":1,"hasOwnProperty":1}', /unknown field/],
  [`{"Identifier":"task1","Description":"${escaped}"}`, /^Description: /],
  [
    `{"Identifier":"${escaped}","Description":"x","JobId":"${escaped}","RequestId":"${escaped}"}`,
    /Identifier: /,
  ],
  [`{"${escaped}":1,"Identifier":"task1","Description":"x"}`, /unknown field/],
  [`{"Identifier":"task1","Description":"${raw}"}`, /^Description: /],
  [`{"${raw}":1,"Identifier":"task1","Description":"x"}`, /unknown field/],
  ['{"Identifier":"task1%2f..","Description":"x"}', /^Identifier: /],
  ['{"Identifier":"task1\\n","Description":"x"}', /^Identifier: /],
  ['{"Identifier":"tаsk1","Description":"x"}', /^Identifier: /],
  [`{"Identifier":"${'a'.repeat(201)}","Description":"x"}`, /^Identifier: /],
  [
    `{"Identifier":"task1","Description":"x",${Array.from({ length: 20_000 }, (_, i) => `"f${i}":1`).join()}}`,
    /and 19995 more/,
  ],
];

/** Unusual but valid bodies, with their Identifier. */
const valid: readonly (readonly [string, string])[] = [
  ['{"Identifier":"first","Description":"x","Identifier":"last"}', 'last'],
  [String.raw`{"\u0049dentifier":"\u0065scaped","Description":"\u0078"}`, 'escaped'],
  [` \r\n\t{"Identifier":"spaced","Description":"x"}\n\n`, 'spaced'],
  [sns(`{"Identifier":"wrapped","Description":"x"}`), 'wrapped'],
  ['{"Identifier":"__proto__x","Identifier":"constructor","Description":"x"}', 'constructor'],
];

/** As large as SQS accepts: no room for the record. */
const full = '['.repeat(MAX_BYTES);

test('hostile bodies are settled correctly, byte for byte, and never appear unescaped in the log', async () => {
  stage = await setStage();
  const worker = runWorker(
    stage.environment({ LOG_LEVEL: 'trace', HTTP_PORT: 'off', AWS_ENDPOINT_URL_SQS: stage.sqsUrl }),
  );
  for (const [body] of [...invalid, ...valid]) await stage.send(body);
  await stage.send(full);
  await worker.waitForLine(({ event }) => event === 'dead_letter' || event === 'applied');
  const ended = (): number =>
    worker.lines().filter(({ event }) => event === 'dead_letter' || event === 'applied').length;
  await worker.waitForLine(() => ended() === invalid.length + valid.length + 1);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });

  const letters = await stage.deadLetters();
  expect(new Set(letters.map(({ body }) => body))).toEqual(new Set([...invalid.map(([body]) => body), full]));
  expect(letters).toHaveLength(invalid.length + 1);
  const found = invalid.map(([body]) => {
    const letter = letters.find((each) => each.body === body);
    if (letter === undefined) throw new Error(`no letter for ${JSON.stringify(body.slice(0, 80))}`);
    const { reason, error } = recordOf(letter);
    return { body: body.slice(0, 80), reason, message: error.message };
  });
  expect(found).toEqual(
    invalid.map(([body, message]) => ({
      body: body.slice(0, 80),
      reason: 'Invalid',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })),
  );
  expect(letters.find(({ body }) => body === full)?.attributes).toEqual({});
  expect(worker.lines().some((line) => line.recordFit === 'left-off' && line.reason === 'Invalid')).toBe(
    true,
  );
  for (const [, identifier] of valid) {
    expect(stage.api.callsFor(identifier)).toMatchObject([{ status: 204, input: { Description: 'x' } }]);
  }
  expect(stage.api.stats().calls).toBe(valid.length);
  expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);

  const { stdout, stderr } = worker.raw();
  expect(stderr).toBe('');
  // The only control character is the newline at the end of each line.
  const unsafe = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;
  expect(stdout.match(unsafe)).toBeNull();
  expect(stdout.split('\n').every((line) => line === '' || line.startsWith('{'))).toBe(true);
  // A body is never quoted at length.
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(20_000);
});
