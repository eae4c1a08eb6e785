/** The log for people: pino's own prettifier, in this process. Without a terminal, the log stays JSON. */
import type { DestinationStream } from 'pino';
import { type PinoPretty, prettyFactory } from 'pino-pretty';
import { mayHaveColours } from '../text/colours.ts';
import { printable, printableLines } from '../text/printable.ts';
import type { DescribedError } from './errors.ts';
import { reasonOf, type ShownCondition } from './health.ts';
import type { LogField } from './log-fields.ts';
import { logLines } from './log-lines.ts';

/** What the line begins with, and fields that repeat others in full. */
const notAmongFields: ReadonlySet<string> = new Set([
  ...['time', 'level', 'service', 'pid', 'event', 'msg', 'stack'],
  ...['record', 'recordFit', 'replacedRecord'],
]);

/**
 * Takes a logger's JSON lines, and writes them to `destination` in readable form. They contain no characters that a terminal
 * interprets, except those for colours.
 */
export function readableLines(
  destination: DestinationStream,
  { colours }: { readonly colours: boolean },
): DestinationStream {
  const pretty = prettyFactory({
    colorize: colours,
    ignore: 'pid,service',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    // The fields are part of the message: fields that the prettifier prints itself are escaped only partly.
    hideObject: true,
    messageFormat: lineOf,
  });
  return { write: (line) => destination.write(`${pretty(line)}\n`) };
}

/** For people at a terminal, readable lines; otherwise the logger's JSON. */
export function logFormat(
  destination: DestinationStream,
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): DestinationStream {
  return stream.isTTY === true
    ? readableLines(destination, { colours: mayHaveColours(stream, env) })
    : destination;
}

const lineOf: PinoPretty.MessageFormatFunc = (line, _key, _label, { colors }) => {
  const { msg, stack, event } = line;
  const fields = Object.entries(line)
    .filter(
      ([name, value]) => !notAmongFields.has(name) && !(value === 0 && event === logLines.summary.event),
    )
    .map(([name, value]) => `${printable(name)}=${shown(toText.get(name)?.(value as never) ?? value)}`);
  const text = [
    printable(String(msg ?? '')),
    ...(fields.length === 0 ? [] : [colors.gray(fields.join(' '))]),
  ];
  const traced = typeof stack === 'string' ? printableLines(`\n${stack}`).replaceAll('\n', '\n    ') : '';
  return `${text.join('  ')}${traced}`;
};

/** Fields whose value is an object. */
const toText: ReadonlyMap<string, (value: never) => string> = new Map<LogField, (value: never) => string>([
  ['error', ({ name, message }: DescribedError) => `${name}: ${message}`],
  ['conditions', (all: readonly ShownCondition[]) => all.map(reasonOf).join('; ')],
]);

/** The value of a field: words in quotes, so that the end of the value is visible. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return printable(value);
  return printable(JSON.stringify(value));
}
