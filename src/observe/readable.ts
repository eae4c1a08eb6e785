/** The log for people: pino's own prettifier, in this process. Elsewhere than on a terminal the log stays JSON. */
import type { DestinationStream } from 'pino';
import { type PinoPretty, prettyFactory } from 'pino-pretty';
import { mayHaveColours } from '../text/colours.ts';
import { printable, printableLines } from '../text/printable.ts';
import type { DescribedError } from './errors.ts';
import { reasonOf, type ShownCondition } from './health.ts';
import type { LogField } from './log-fields.ts';
import { logLines } from './log-lines.ts';

/** What the line begins with; and what repeats the other fields, in full. */
const notAmongFields: ReadonlySet<string> = new Set([
  ...['time', 'level', 'service', 'pid', 'event', 'msg', 'stack'],
  ...['record', 'recordFit', 'replacedRecord'],
]);

/**
 * Takes the JSON lines of a logger, and writes them to `destination` as readable ones. They hold no character that a terminal
 * interprets but those of the colours.
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
    // The fields are part of the message: of those that it prints itself, it escapes only some characters.
    hideObject: true,
    messageFormat: lineOf,
  });
  return { write: (line) => destination.write(`${pretty(line)}\n`) };
}

/** For people on a terminal: readable lines. For everybody else what the logger writes: JSON. */
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

/** Fields that hold more than a value. */
const toText: ReadonlyMap<string, (value: never) => string> = new Map<LogField, (value: never) => string>([
  ['error', ({ name, message }: DescribedError) => `${name}: ${message}`],
  ['conditions', (all: readonly ShownCondition[]) => all.map(reasonOf).join('; ')],
]);

/** A value of a field: words in quotes, so that one sees where the value ends. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return printable(value);
  return printable(JSON.stringify(value));
}
