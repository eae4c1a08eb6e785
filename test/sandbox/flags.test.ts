import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/program.ts';
import { readLimit } from '../../src/sandbox/commands/api-limit.ts';
import {
  readDeviceFailures,
  readDevices,
  readFaults,
  readLatency,
  readPort,
} from '../../src/sandbox/commands/flags.ts';
import { fakeContext } from '../../testing/stages/context.ts';

const readers = {
  '--sqs-port': readPort,
  '--api-limit': readLimit,
  '--api-latency': readLatency,
  '--api-faults': readFaults,
  '--devices': readDevices,
  '--device-failures': readDeviceFailures,
} as const;

test.each<[keyof typeof readers, string, unknown]>([
  ['--sqs-port', '0', 0],
  ['--sqs-port', '65535', 65_535],
  ['--api-limit', 'unlimited', 'unlimited'],
  ['--api-limit', '0.5', { ratePerSecond: 0.5, burst: 1 }],
  ['--api-limit', '200', { ratePerSecond: 200, burst: 20 }],
  ['--api-limit', '200:1', { ratePerSecond: 200, burst: 1 }],
  ['--api-latency', '50', { minMs: 50, maxMs: 50 }],
  ['--api-latency', '0-1.5', { minMs: 0, maxMs: 1.5 }],
  ['--api-faults', 'internalError=0.2,reset=0', { internalError: 0.2, reset: 0 }],
  ['--devices', '0', 0],
  ['--devices', '10000', 10_000],
  [
    '--device-failures',
    'cfgB7=0.06@30s,cfgB8=1@0.5s',
    [
      { configuration: 'cfgB7', share: 0.06, afterSeconds: 30 },
      { configuration: 'cfgB8', share: 1, afterSeconds: 0.5 },
    ],
  ],
])('%s %s is taken', (flag, text, value) => expect(readers[flag](text)).toEqual(value));

const wrong: Readonly<Record<keyof typeof readers, string>> = {
  '--sqs-port': '| 1|-1|65536|1e3|0x10|Infinity|99999999999',
  '--api-limit': '|0|-5|none|Infinity|NaN|1e3|200:|200:0|200:x|200:20:5|200:Infinity|:20',
  '--api-latency': '|-5|5-|80-20|20-80-90|Infinity|0-Infinity|1e3|600001|x',
  '--api-faults': '|reset|reset=|reset=2|reset=-1|reset=x|reset=0.1=1|nix=1|reset=1,hang=1|reset=0,reset=0',
  '--devices': '|-1|1.5|10001|x',
  '--device-failures': '|a|a=0.1|a=0.1@|a=0.1@5|a=2@5s|a=0.1@86401s|=1@1s|a-b=1@1s|a=1@1s,a=0@1s|a=0.1@xs',
};

test.each(
  Object.entries(wrong).flatMap(([flag, texts]) =>
    texts.split('|').map((text) => [flag as keyof typeof readers, text] as const),
  ),
)('%s %j is refused in a sentence', (flag, text) => {
  expect(() => readers[flag](text)).toThrow(InvalidArgumentError);
  expect(() => readers[flag](text)).toThrow(
    /^(?:It must be|There is no|The shares|\w+ (?:must be|is given twice)).*\.$/,
  );
});

test.each([
  [['--api-limit', 'Infinity'], '--api-limit Infinity: it must be calls per second from'],
  [['--api-latency', '-5'], '--api-latency -5: it must be milliseconds from 0'],
  [['--api-faults', 'reste=1'], '--api-faults reste=1: there is no fault "reste". Did you mean "reset"?'],
])('the command says so: %j', async (args, says) => {
  await expect(runProgram(['sandbox', ...args], fakeContext())).rejects.toMatchObject({
    message: expect.stringContaining(says),
    exitCode: 2,
  });
});
