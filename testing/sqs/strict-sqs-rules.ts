/** What AWS refuses in a message but the emulator accepts. PURE. */

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** A message as in SendMessage and SendMessageBatch. */
export interface SentMessage {
  readonly MessageBody?: string;
  readonly MessageAttributes?: Readonly<Record<string, SentAttribute>>;
  readonly MessageSystemAttributes?: Readonly<Record<string, SentAttribute>>;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

interface SentAttribute {
  readonly DataType?: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

const MAX_ATTRIBUTES = 10;
/** Maximum bytes of body and attributes, for a message and for a request. */
export const MAX_BYTES = 1_048_576;
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const ATTRIBUTE_NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.$)(?!.*\.\.)[\w.-]{1,256}$/i;
/** Valid group and deduplication ids. */
const FIFO_ID = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/;

const invalid = (message: string): Refusal => ({ code: 'InvalidParameterValue', message });

/** Why SQS refuses a message; undefined if it accepts the message. */
export function refusalOf(message: SentMessage, fifo: boolean): Refusal | undefined {
  const { MessageBody: body = '', MessageAttributes: attributes = {} } = message;
  if (body === '') return { code: 'MissingParameter', message: 'MessageBody is missing.' };
  if (FORBIDDEN.test(body)) return { code: 'InvalidMessageContents', message: 'Invalid characters found.' };
  const names = Object.keys(attributes);
  if (names.length > MAX_ATTRIBUTES)
    return invalid(`Number of message attributes [${names.length}] exceeds the allowed maximum [10].`);
  for (const name of names) {
    const fault = attributeFault(name, attributes[name] ?? {});
    if (fault !== undefined) return fault;
  }
  return idFault(message, fifo);
}

function attributeFault(name: string, { DataType, StringValue }: SentAttribute): Refusal | undefined {
  if (!ATTRIBUTE_NAME.test(name)) return invalid(`Message attribute name '${name}' is invalid.`);
  if (!/^(String|Number|Binary)(\..+)?$/.test(DataType ?? ''))
    return invalid(`The message attribute '${name}' has an invalid message attribute type.`);
  if (DataType?.startsWith('Binary')) return undefined;
  if (StringValue === undefined || StringValue === '')
    return invalid(`The message attribute '${name}' must contain a non-empty value.`);
  if (FORBIDDEN.test(StringValue))
    return invalid(`The message attribute '${name}' holds invalid characters.`);
  return undefined;
}

function idFault(message: SentMessage, fifo: boolean): Refusal | undefined {
  const { MessageGroupId: group, MessageDeduplicationId: deduplication } = message;
  if (fifo && group === undefined)
    return { code: 'MissingParameter', message: 'The request must contain the parameter MessageGroupId.' };
  if (!fifo && deduplication !== undefined)
    return invalid('MessageDeduplicationId is not valid for this queue type.');
  if (group !== undefined && !FIFO_ID.test(group))
    return invalid('MessageGroupId is invalid: 1-128 characters.');
  if (deduplication !== undefined && !FIFO_ID.test(deduplication))
    return invalid('MessageDeduplicationId is invalid: 1-128 characters.');
  return undefined;
}

/** The size of a message as SQS counts it, in bytes. */
export function bytesOf({ MessageBody = '', MessageAttributes = {} }: SentMessage): number {
  let bytes = Buffer.byteLength(MessageBody);
  for (const [name, { DataType = '', StringValue, BinaryValue }] of Object.entries(MessageAttributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue ?? '');
    bytes += Buffer.byteLength(BinaryValue ?? '', 'base64');
  }
  return bytes;
}

/** The total time that a receive may hide a message from others, in milliseconds. */
const MAX_HOLD_MS = 43_200_000;

/** One delivery of one message. */
export interface Flight {
  readonly since: number;
  until: number;
}

/** Why the visibility of a message cannot be changed; undefined if it can. */
export function extensionFault(
  flight: Flight | undefined,
  seconds: number,
  now: number,
): Refusal | undefined {
  if (flight === undefined || flight.until <= now) {
    return invalid(
      'The receipt handle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
    );
  }
  if (now + seconds * 1_000 > flight.since + MAX_HOLD_MS)
    return invalid('Total VisibilityTimeout for the message is beyond the limit [43200 seconds].');
  return undefined;
}
