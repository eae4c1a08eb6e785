/** The values of the sandbox's flags. Every fault is one sentence that says what is accepted. */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../../text/nearest.ts';
import { decimalOf } from '../../text/numbers.ts';
import { faultNames } from '../simulated-api/index.ts';

const MAX_LATENCY_MS = 600_000;

/** `8080`; 0 for any free one. */
export function readPort(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 65_535) return value;
  throw new InvalidArgumentError('It must be a port from 0 to 65535.');
}

/** `50` or `20-80`, in milliseconds. */
export function readLatency(text: string): { readonly minMs: number; readonly maxMs: number } {
  const [minMs = Number.NaN, maxMs = minMs, ...more] = text.split('-').map(decimalOf);
  if (more.length === 0 && minMs <= maxMs && maxMs <= MAX_LATENCY_MS) return { minMs, maxMs };
  throw new InvalidArgumentError(
    `It must be milliseconds from 0 to ${MAX_LATENCY_MS}, as in 50, or the least and the most, as in 20-80.`,
  );
}

/** `cfgBad=0.06@30s`: with this configuration, the share of devices that fail, and how long after the update. */
export function readDeviceFailures(text: string): DeviceFailures {
  const failures = text.split(',').map((part) => {
    const [, configuration = '', share = '', seconds = ''] = /^([^=]*)=([^@]*)@(.*)s$/.exec(part) ?? [];
    const failure = { configuration, share: decimalOf(share), afterSeconds: decimalOf(seconds) };
    if (/^[A-Za-z0-9]{1,64}$/.test(configuration) && failure.share <= 1 && failure.afterSeconds <= 86_400)
      return failure;
    throw new InvalidArgumentError(
      `It must be a task configuration, the share of devices that fail with it, from 0 to 1, and after how long, up to ` +
        '86400 s, as in cfgB7=0.06@30s.',
    );
  });
  const ids = failures.map(({ configuration }) => configuration);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice} is given twice.`);
  return failures;
}

type DeviceFailures = readonly {
  readonly configuration: string;
  readonly share: number;
  readonly afterSeconds: number;
}[];

const MAX_DEVICES = 10_000;

/** How many devices each task has. */
export function readDevices(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= MAX_DEVICES) return value;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_DEVICES}.`);
}

type Shares = Partial<Record<(typeof faultNames)[number], number>>;

/** `internalError=0.01,reset=0.005`: shares of calls, together at most 1. */
export function readFaults(text: string): Shares {
  const shares: Shares = {};
  for (const part of text.split(',')) {
    const [typed = '', share = '', ...more] = part.split('=');
    const name = faultNames.find((known) => known === typed.trim());
    if (name === undefined)
      throw new InvalidArgumentError(
        `There is no fault "${typed}".${didYouMean(typed, faultNames)} The faults are ${faultNames.join(', ')}.`,
      );
    if (shares[name] !== undefined) throw new InvalidArgumentError(`${name} is given twice.`);
    const value = decimalOf(share);
    if (more.length > 0 || !(value <= 1))
      throw new InvalidArgumentError(`${name} must be a share of all calls from 0 to 1, as in ${name}=0.01.`);
    shares[name] = value;
  }
  const sum = Object.values(shares).reduce((all, share) => all + share);
  if (sum > 1) throw new InvalidArgumentError('The shares must add up to 1 at most.');
  return shares;
}
