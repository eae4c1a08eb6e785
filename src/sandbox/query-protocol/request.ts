/**
 * Converts a request in SQS's query protocol to the JSON protocol: forms with names like
 * `MessageAttribute.1.Value.StringValue`. Older clients use the query protocol (the AWS CLI 1 and 2 before 2.13, boto3 before
 * 1.28.81). PURE.
 */

/** SQS's version of the protocol; SNS and STS have others. */
const QUERY_VERSION = '2012-11-05';

/** A field of a request: a text, a structure or a list. */
type Field = string | { readonly [name: string]: Field } | readonly Field[];
type Fields = Readonly<Record<string, Field>>;

/** An action and its input, in the form of the JSON protocol. */
export interface SqsRequest {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const lists: Readonly<Record<string, string>> = {
  AttributeName: 'AttributeNames',
  MessageAttributeName: 'MessageAttributeNames',
  MessageSystemAttributeName: 'MessageSystemAttributeNames',
  TagKey: 'TagKeys',
  SendMessageBatchRequestEntry: 'Entries',
  DeleteMessageBatchRequestEntry: 'Entries',
  ChangeMessageVisibilityBatchRequestEntry: 'Entries',
};

/** Lists of pairs in the query protocol that are objects in the JSON protocol; with the name of the pair's key. */
const maps: Readonly<Record<string, readonly [name: string, key: string]>> = {
  Attribute: ['Attributes', 'Name'],
  Tag: ['Tags', 'Key'],
  MessageAttribute: ['MessageAttributes', 'Name'],
  MessageSystemAttribute: ['MessageSystemAttributes', 'Name'],
};

const numbers: ReadonlySet<string> = new Set([
  'DelaySeconds',
  'MaxNumberOfMessages',
  'MaxResults',
  'VisibilityTimeout',
  'WaitTimeSeconds',
]);

/**
 * Parses a request of the query protocol.
 * @param form names and values as the client sent them.
 * @returns undefined if it is not a request for SQS.
 */
export function readQuery(form: Readonly<Record<string, string>>): SqsRequest | undefined {
  const { Action, Version, ...rest } = form;
  if (Action === undefined || Version !== QUERY_VERSION) return undefined;
  return { action: Action, input: renamed(nested(rest)) };
}

/** `A.2.B` becomes a list under `A` with an object at 2: builds a tree from flat names. */
function nested(form: Readonly<Record<string, string>>): Fields {
  const heads = new Map<string, [string, string][]>();
  for (const [name, value] of Object.entries(form)) {
    const dot = name.indexOf('.');
    const head = dot < 0 ? name : name.slice(0, dot);
    heads.set(head, [...(heads.get(head) ?? []), [dot < 0 ? '' : name.slice(dot + 1), value]]);
  }
  return Object.fromEntries([...heads].map(([head, parts]): [string, Field] => [head, fieldOf(parts)]));
}

function fieldOf(parts: readonly (readonly [string, string])[]): Field {
  const [first] = parts;
  if (first?.[0] === '') return first[1];
  const tree = nested(Object.fromEntries(parts));
  const places = Object.keys(tree);
  if (!places.every((place) => /^[0-9]+$/.test(place))) return tree;
  return places.sort((one, other) => Number(one) - Number(other)).map((place) => tree[place] ?? '');
}

function renamed(fields: Fields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]): [string, unknown] => {
      const map = maps[name];
      if (map !== undefined && isList(value)) return [map[0], mapOf(value, map[1])];
      const list = lists[name];
      if (list !== undefined) return [list, (isList(value) ? value : [value]).map(plain)];
      return [name, numbers.has(name) && typeof value === 'string' ? Number(value) : plain(value)];
    }),
  );
}

function plain(value: Field): unknown {
  if (typeof value === 'string') return value;
  return isList(value) ? value.map(plain) : renamed(value);
}

function mapOf(pairs: readonly Field[], key: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    pairs.map((pair): [string, unknown] => {
      const { [key]: name = '', Value = '' } = typeof pair === 'string' || isList(pair) ? {} : pair;
      return [String(name), plain(Value)];
    }),
  );
}

function isList(value: Field): value is readonly Field[] {
  return Array.isArray(value);
}
