/** Converts an answer of SQS's JSON protocol to the query protocol, in XML. PURE. */

type Json = Readonly<Record<string, unknown>>;

/** The answer for the client. */
export interface XmlAnswer {
  readonly status: number;
  readonly body: string;
}

/** The answer in the JSON protocol. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The header `x-amzn-query-error`: the error's code in the query protocol, and whose fault it is. */
  readonly queryError?: string | undefined;
}

/** Objects in the JSON protocol that are lists of pairs in the query protocol; with the name of the pair's key. */
const pairs: Readonly<Record<string, readonly [tag: string, key: string]>> = {
  Attributes: ['Attribute', 'Name'],
  MessageAttributes: ['MessageAttribute', 'Name'],
  Tags: ['Tag', 'Key'],
};

const items: Readonly<Record<string, string>> = {
  Messages: 'Message',
  QueueUrls: 'QueueUrl',
  Failed: 'BatchResultErrorEntry',
};

/** @param requestId that of the answer. */
export function toXml(action: string, answer: JsonAnswer, requestId: string): XmlAnswer {
  const body = typeof answer.body === 'object' && answer.body !== null ? (answer.body as Json) : {};
  if (answer.status >= 400) return { status: answer.status, body: errorOf(body, answer, requestId) };
  const result = `<${action}Result>${fieldsOf(body, action)}</${action}Result>`;
  const xml = `<${action}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">${result}<ResponseMetadata>${element('RequestId', requestId)}</ResponseMetadata></${action}Response>`;
  return { status: answer.status, body: document(xml) };
}

function errorOf(body: Json, { status, queryError }: JsonAnswer, requestId: string): string {
  const [code = '', type = status >= 500 ? 'Receiver' : 'Sender'] = (queryError ?? '').split(';');
  const named = code || String(body.__type ?? 'InternalError').replace(/^.*#/, '');
  const message = typeof body.message === 'string' ? body.message : '';
  const error = `<Error>${element('Type', type)}${element('Code', named)}${element('Message', message)}<Detail/></Error>`;
  return document(
    `<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">${error}${element('RequestId', requestId)}</ErrorResponse>`,
  );
}

function fieldsOf(fields: Json, action: string): string {
  return Object.entries(fields)
    .map(([name, value]) => fieldOf(name, value, action))
    .join('');
}

function fieldOf(name: string, value: unknown, action: string): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    const tag = name === 'Successful' ? `${action}ResultEntry` : (items[name] ?? name);
    return value.map((item) => fieldOf(tag, item, action)).join('');
  }
  if (typeof value !== 'object') return element(name, String(value));
  const pair = pairs[name];
  if (pair === undefined) return `<${name}>${fieldsOf(value as Json, action)}</${name}>`;
  const [tag, key] = pair;
  return Object.entries(value)
    .map(([each, what]) => `<${tag}>${element(key, each)}${fieldOf('Value', what, action)}</${tag}>`)
    .join('');
}

function element(name: string, value: string): string {
  return `<${name}>${escaped(value)}</${name}>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // XML readers would turn it into a line feed.
  '\r': '&#xD;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => entities[character] ?? character);
}

function document(xml: string): string {
  return `<?xml version="1.0"?>${xml}`;
}
