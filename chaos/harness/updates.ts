/** The updates of a run: valid ones in every envelope, and some that are invalid or rejected. Seeded, PURE. */

import { type Poison, poisons } from '../../testing/sqs/poison.ts';

/**
 * How an update ends without faults. `read`: its message arrives damaged; it is applied if it can be read all
 * the same, otherwise dead-lettered as `Invalid`.
 */
type ExpectedEnd = 'applied' | 'Invalid' | 'Rejected' | 'read';

/** The values in a call for an update; no other update uses any of them. */
export interface Fields {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

export interface SentUpdate {
  readonly id: string;
  /** Its place among all updates that are sent. */
  readonly place: number;
  readonly identifier: string;
  readonly fields: Fields;
  readonly expectedEnd: ExpectedEnd;
  /** Unique among everything that is sent. */
  readonly body: string;
  /** Present on FIFO queues. */
  readonly groupId?: string;
}

export interface MixOptions {
  readonly count: number;
  /** Number of different tasks to update. */
  readonly tasks: number;
  readonly fifo: boolean;
  /** Include updates that are denied: without a later one that succeeds, each takes half a minute to end. */
  readonly denied: boolean;
  readonly random: () => number;
}

/** Tasks whose Identifier begins like this do not exist. */
export const UNKNOWN = 'unknown';
/** Tasks whose Identifier begins like this may not be updated. */
export const DENIED = 'denied';

/** The updates of a run, in the order to send them. */
export function mixUpdates(options: MixOptions): SentUpdate[] {
  return Array.from({ length: options.count }, (_, place) => drawUpdate(place, options));
}

function drawUpdate(place: number, { tasks, fifo, denied, random }: MixOptions): SentUpdate {
  const id = `u${String(place).padStart(6, '0')}`;
  const task = Math.floor(random() * tasks);
  const drawn = random();
  const draw: Draw =
    drawn < 0.05 ? drawInvalid : drawn < 0.09 ? drawRefused : drawn < 0.11 ? drawPoisoned : drawValid;
  const made = draw(id, task, random, denied);
  // The group is the task's even if the message is invalid: it must not hold up later messages.
  return { id, place, ...made, ...(fifo && { groupId: `task${task}` }) };
}

type Draw = (
  id: string,
  task: number,
  random: () => number,
  denied: boolean,
) => Pick<SentUpdate, 'identifier' | 'fields' | 'expectedEnd' | 'body'>;

const drawValid: Draw = (id, task, random) => {
  const identifier = `task${task}`;
  const fields = drawFields(id, random);
  return {
    identifier,
    fields,
    expectedEnd: 'applied',
    body: wrap(updateOf(id, identifier, fields), id, random()),
  };
};

const drawRefused: Draw = (id, task, random, denied) => {
  const identifier = `${random() < 0.8 || !denied ? UNKNOWN : DENIED}${task}`;
  const fields = drawFields(id, random);
  return {
    identifier,
    fields,
    expectedEnd: 'Rejected',
    body: JSON.stringify(updateOf(id, identifier, fields)),
  };
};

/** Valid, but in a message whose attributes no client expects. */
const drawPoisoned: Draw = (id, task, random) => {
  const kind: Poison = poisons[Math.floor(random() * poisons.length)] ?? poisons[0];
  const identifier = `task${task}`;
  const fields = { Description: `chaos ${id}` };
  const body = JSON.stringify({ Identifier: identifier, ...fields, JobId: `poison:${kind}`, RequestId: id });
  return { identifier, fields, expectedEnd: 'read', body };
};

const invalidBodies: readonly ((id: string, identifier: string) => string)[] = [
  (id) => `not json ${id}`,
  (id) => `{"Identifier":"${id}"`,
  (id, Identifier) => JSON.stringify({ Identifier, TaskConfigurationID: id }),
  (id, Identifier) => JSON.stringify({ Identifier: `${Identifier}-`, Description: id }),
  (id, Identifier) => JSON.stringify({ Identifier, RequestId: id }),
  (id, Identifier) => JSON.stringify({ Identifier, Description: `${id}\u202e\u0000` }),
  (id) => JSON.stringify([id]),
  (id) => JSON.stringify({ Type: 'Notification', Message: `no update ${id}` }),
];

const drawInvalid: Draw = (id, task, random) => {
  const identifier = `task${task}`;
  const body = invalidBodies[Math.floor(random() * invalidBodies.length)]?.(id, identifier) ?? id;
  return { identifier, fields: {}, expectedEnd: 'Invalid', body };
};

function drawFields(id: string, random: () => number): Fields {
  const drawn = random();
  return {
    ...(drawn < 0.8 && { Description: `chaos ${id}` }),
    ...(drawn >= 0.6 && { TaskConfigurationId: `cfg${id}` }),
  };
}

function updateOf(id: string, Identifier: string, fields: Fields): object {
  return { Identifier, ...fields, JobId: 'chaos', RequestId: id };
}

function wrap(update: object, id: string, drawn: number): string {
  if (drawn < 0.05) {
    return JSON.stringify({ Type: 'Notification', MessageId: id, Message: JSON.stringify(update) });
  }
  if (drawn < 0.1) {
    return JSON.stringify({ version: '0', id, 'detail-type': 'update', source: 'chaos', detail: update });
  }
  return JSON.stringify(update);
}
