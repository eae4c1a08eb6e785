/** Received messages with attributes that SQS never sends, or that no client expects. PURE. */

/** Defects of a received message that no client's tests consider; see {@link poison}. */
export const poisons = [
  'proto',
  'null-value',
  'null-attribute',
  'sent-time',
  'receive-count',
  'no-attributes',
] as const;
export type Poison = (typeof poisons)[number];

/** Gives that defect to every received message whose body contains `poison:NAME`. */
export function poison(action: string, answer: string): string {
  if (action !== 'ReceiveMessage' || !answer.includes('poison:')) return answer;
  const parsed = JSON.parse(answer) as { Messages?: readonly Received[] };
  const texts = (parsed.Messages ?? []).map((message) => {
    const name = /poison:([a-z-]+)/.exec(message.Body)?.[1];
    const found = poisons.find((each) => each === name);
    return found === undefined ? JSON.stringify(message) : poisoned(message, found);
  });
  return `{"Messages":[${texts.join(',')}]}`;
}

interface Received {
  readonly Body: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<Record<string, unknown>>;
}

function poisoned(message: Received, kind: Poison): string {
  const { Attributes = {}, MessageAttributes = {} } = message;
  // A checksum of the attributes would not match after this change.
  const rest = { ...message, MD5OfMessageAttributes: undefined };
  switch (kind) {
    case 'proto': {
      // Not as an object literal, which would set the prototype.
      const attribute = '"__proto__":{"DataType":"String","StringValue":"hostile"}';
      const others = JSON.stringify(MessageAttributes).slice(1, -1);
      const whole = JSON.stringify({ ...rest, MessageAttributes: undefined }).slice(0, -1);
      return `${whole},"MessageAttributes":{${others === '' ? attribute : `${others},${attribute}`}}}`;
    }
    case 'null-value':
      return JSON.stringify({ ...rest, MessageAttributes: { ...MessageAttributes, nothing: null } });
    case 'null-attribute':
      return JSON.stringify({ ...rest, Attributes: { ...Attributes, SenderId: null } });
    case 'sent-time':
      return JSON.stringify({ ...rest, Attributes: { ...Attributes, SentTimestamp: 'yesterday' } });
    case 'receive-count':
      return JSON.stringify({ ...rest, Attributes: { ...Attributes, ApproximateReceiveCount: '-1e999' } });
    case 'no-attributes':
      return JSON.stringify({ ...rest, Attributes: null, MessageAttributes: null });
  }
}
