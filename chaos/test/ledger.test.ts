/** The ledger of the chaos harness: one that cannot report a loss would be worthless. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '../../testing/random.ts';
import { type AppliedCall, type Evidence, type Letter, settleAccount } from '../harness/ledger.ts';
import { mixUpdates, type SentUpdate } from '../harness/updates.ts';

const mix = (count: number, seed = 1): SentUpdate[] =>
  mixUpdates({ count, tasks: Math.ceil(count / 3), fifo: false, denied: true, random: seeded(seed) });

const callOf = ({ identifier, fields }: SentUpdate): AppliedCall => ({ identifier, fields, at: 0 });
const letterOf = ({ body, expectedEnd }: SentUpdate): Letter => ({
  body,
  reason: expectedEnd === 'read' ? 'Invalid' : expectedEnd,
});

/** The evidence of a run in which every update ends as it should, in the order of sending. */
function evidenceOf(sent: readonly SentUpdate[]): Evidence {
  return {
    sent,
    applied: sent.filter(({ expectedEnd }) => expectedEnd === 'applied').map(callOf),
    letters: sent.filter(({ expectedEnd }) => expectedEnd !== 'applied').map(letterOf),
    left: [],
  };
}

const idsOf = (entries: readonly { readonly update: SentUpdate }[]): string[] =>
  entries.map(({ update }) => update.id);

describe('the updates of a run', () => {
  test('are the same for the same seed, and of every expected end', () => {
    expect(mix(500)).toEqual(mix(500));
    expect(new Set(mix(500).map(({ expectedEnd }) => expectedEnd))).toEqual(
      new Set(['applied', 'Invalid', 'Rejected', 'read']),
    );
  });

  test('have bodies and values that no other has', () => {
    const sent = mix(500);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(500);
    const values = sent.flatMap(({ fields }) => Object.values(fields));
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('the account', () => {
  test('of a run without loss names no update', () => {
    const account = settleAccount(evidenceOf(mix(300)));
    expect(account).toMatchObject({ missing: [], wronglyEnded: [], strangers: [], strangeCalls: [] });
    expect(account).toMatchObject({ appliedMoreThanOnce: [], deadLetteredMoreThanOnce: [], superseded: [] });
  });

  test('names exactly those that were lost, whichever they are', () => {
    const sent = mix(60);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(59)), (places) => {
        const lost = new Set(places.map((place) => sent[place]));
        const kept = evidenceOf(sent.filter((update) => !lost.has(update)));
        const { missing, superseded } = settleAccount({ ...kept, sent });
        // An update overtaken by newer values looks like a superseded one: both end in the same state.
        const named = new Set([...idsOf(missing), ...idsOf(superseded)]);
        expect(named).toEqual(new Set([...lost].map((update) => update?.id)));
        expect(superseded.every(({ update }) => /^(applied|read)$/.test(update.expectedEnd))).toBe(true);
      }),
    );
  });

  const [first, second] = [
    { ...mixOne('task1', 0), fields: { Description: 'a', TaskConfigurationId: 'b' } },
    { ...mixOne('task1', 1), fields: { Description: 'c' } },
  ];

  test('does not take an update for superseded of which a field has no newer value', () => {
    const account = settleAccount({
      sent: [first, second],
      applied: [callOf(second)],
      letters: [],
      left: [],
    });
    expect(idsOf(account.missing)).toEqual([first.id]);
  });

  test('does not take an update for superseded that only an older one followed', () => {
    const account = settleAccount({ sent: [first, second], applied: [callOf(first)], letters: [], left: [] });
    expect(idsOf(account.missing)).toEqual([second.id]);
  });

  test('does not take an update for superseded that is still in the queue', () => {
    const evidence = { sent: [second, { ...first, place: 0 }], applied: [callOf(second)], letters: [] };
    const old = { ...first, fields: { Description: 'a' } };
    expect(settleAccount({ ...evidence, sent: [old, second], left: [] }).superseded).toHaveLength(1);
    expect(settleAccount({ ...evidence, sent: [old, second], left: [old.body] }).missing).toHaveLength(1);
  });

  test('counts what ended more than once', () => {
    const evidence = evidenceOf(mix(100));
    const account = settleAccount({
      ...evidence,
      applied: [...evidence.applied, ...evidence.applied.slice(0, 7)],
      letters: [...evidence.letters, ...evidence.letters.slice(0, 3)],
    });
    expect(account.appliedMoreThanOnce).toHaveLength(7);
    expect(account.deadLetteredMoreThanOnce).toHaveLength(3);
    expect(account.missing).toEqual([]);
  });

  test('names the updates that ended otherwise than their content requires', () => {
    const valid = mixOne('task1', 0);
    const invalid: SentUpdate = { ...mixOne('task2', 1), expectedEnd: 'Invalid' };
    const unknown: SentUpdate = { ...mixOne('task3', 2), expectedEnd: 'Rejected' };
    const account = (letters: Letter[], applied: AppliedCall[] = []) =>
      idsOf(settleAccount({ sent: [valid, invalid, unknown], applied, letters, left: [] }).wronglyEnded);
    const letter = ({ body }: SentUpdate, reason: string) => ({ body, reason });
    expect(account([letter(valid, 'Invalid')])).toEqual([valid.id]);
    expect(account([letter(valid, 'InternalError')])).toEqual([valid.id]);
    expect(account([letter(invalid, 'RetriesExhausted')])).toEqual([invalid.id]);
    expect(account([], [callOf(invalid), callOf(unknown)])).toEqual([invalid.id, unknown.id]);
    const correct = [
      letter(valid, 'RetriesExhausted'),
      letter(invalid, 'Invalid'),
      letter(unknown, 'Rejected'),
    ];
    expect(account(correct)).toEqual([]);
  });

  test('names a letter that is not byte for byte what was sent, and a call for no update', () => {
    const evidence = evidenceOf(mix(50));
    const [letter] = evidence.letters;
    const changed = { reason: 'Invalid', body: `${letter?.body} ` };
    const call = { identifier: 'task1', fields: { Description: 'from nobody' }, at: 0 };
    const account = settleAccount({
      ...evidence,
      letters: [changed, ...evidence.letters.slice(1)],
      applied: [...evidence.applied, call],
    });
    expect(account.strangers).toEqual([changed]);
    expect(account.strangeCalls).toEqual([call]);
    expect(account.missing).toHaveLength(1);
  });
});

function mixOne(identifier: string, place: number): SentUpdate {
  const id = `u${place}`;
  return {
    id,
    place,
    identifier,
    fields: { Description: id },
    expectedEnd: 'applied',
    body: `${identifier} ${id}`,
  };
}
