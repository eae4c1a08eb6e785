/** One letter in full, for `show`. PURE. */
import type { MessageAttribute } from '../../message/message.ts';
import { hang, widthOf } from '../../text/layout.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import { epochMs } from '../../time/instant.ts';
import { causeOf } from '../letters/causes.ts';
import type { Letter } from '../letters/letter.ts';
import { causeText } from './list.ts';

/** Maximum number of characters of a body that are shown. */
const MAX_BODY = 4_000;

/**
 * The letter as a block of lines, ending in a line feed.
 * @param columns the terminal's width; undefined without a terminal.
 */
export function letterText(letter: Letter, columns?: number): string {
  const lines = letterRows(letter).map(([name, value]) =>
    hang(name.padEnd(16), printable(value), widthOf(columns)),
  );
  return `${[...lines, '', bodyText(letter.message.body)].join('\n')}\n`;
}

/** What is known of a letter, by name; not escaped. */
export function letterRows(letter: Letter): readonly (readonly [name: string, value: string])[] {
  const { message, record, update } = letter;
  const rows: [string, string | undefined][] = [
    ['message id', message.messageId],
    ['cause', `${causeText(letter)} [group ${causeOf(letter).group}]`],
    ['error', letter.errorMessage === '' ? undefined : letter.errorMessage],
    ['AWS request id', record?.error.requestId],
    ['Identifier', letter.identifier],
    ['RequestId', letter.requestId],
    ['JobId', letter.jobId],
    ['first sent', record?.sentAt === undefined ? instant(message.sentAt) : instant(epochMs(record.sentAt))],
    ['arrived', instant(letter.arrivedAt)],
    [
      'calls',
      record === undefined
        ? undefined
        : `${record.attempts} in the last of ${record.receiveCount} deliveries`,
    ],
    ['came from', record?.sourceQueueUrl ?? message.deadLetterSourceArn],
    ['source message', record?.sourceMessageId],
    ['put back', letter.redriveCount === 0 ? 'never' : `${letter.redriveCount} times before`],
    ['group id', message.groupId],
    ['valid update', update.ok ? 'yes' : `no: ${update.message}`],
  ];
  const known = rows.flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, value.slice(0, 2_000)]],
  );
  const attributes = Object.entries(message.attributes).flatMap(([name, attribute]): [string, string][] =>
    name === 'DeadLetter' ? [] : [['attribute', `${shortPrintable(name, 60)} = ${attributeText(attribute)}`]],
  );
  return [...known, ...attributes];
}

function attributeText({ dataType, stringValue, binaryValue }: MessageAttribute): string {
  if (stringValue !== undefined) return shortPrintable(stringValue, 200);
  return `${shortPrintable(dataType, 60)}, ${binaryValue?.byteLength ?? 0} bytes`;
}

/** JSON is indented; other text stays as it is, with line ends as escapes. The lines are printable. */
export function bodyText(body: string): string {
  let text = body;
  try {
    text = JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return printable(body.slice(0, MAX_BODY)) + cutNote(body);
  }
  return text.slice(0, MAX_BODY).split('\n').map(printable).join('\n') + cutNote(text);
}

function cutNote(text: string): string {
  return text.length > MAX_BODY ? `\n… ${text.length - MAX_BODY} characters more: --json shows all` : '';
}
