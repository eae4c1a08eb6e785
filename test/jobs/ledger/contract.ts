/** What every ledger promises, whatever database is behind it: run by the test of each. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Lease, Ledger, ReceivedOutcome, SentRow } from '../../../src/jobs/ledger/ledger.ts';
import { ANY_TARGET, ANY_TARGET_MS, REPORT_TARGET, WITHOUT_JOB } from '../../../src/jobs/ledger/ledger.ts';
import { type LedgerRow, type RowFilter, requestIdOf } from '../../../src/jobs/ledger/row.ts';
import type { ChangeRow, PlanRow } from '../../../src/jobs/plan/format.ts';
import { beginning, type StageProgress } from '../../../src/jobs/rules/progress.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { parseOutcome } from '../../../src/jobs/run/collector.ts';
import type { Outcome } from '../../../src/message/outcome.ts';

/** An empty database, which may be opened more than once. Whatever is opened is closed when the test ends. */
export interface LedgerStore {
  /** @param wall default: the time is {@link now}. */
  open(wall?: () => number): Promise<Ledger>;
}

/** What the clock of a ledger in these tests says. */
export const now = Date.parse('2026-11-25T07:00:00Z');

const at = '2026-11-25T07:00:01.000Z';

/** Of rows that are tried again. */
export const anotherTry = { who: 'ann@ops1', countsFrom: 0 };

export const newJob = {
  jobId: 'j',
  path: 'p',
  source: 's',
  digest: 'sha256:1',
  rows: 1,
  leftOut: { alreadyAsWanted: 0, refused: 0, duplicates: 0 },
  who: 'ann@ops1',
};

export const taskRow = (Row: number): PlanRow => ({ Row, Identifier: `t${Row}`, Description: 'new' });

/** A job `j` of so many rows, none of them sent. @returns its key. */
async function enterJob(ledger: Ledger, rows: number): Promise<number> {
  const { key } = await ledger.begin(newJob);
  await ledger.enter(
    key,
    Array.from({ length: rows }, (_, i) => taskRow(i + 1)),
  );
  await ledger.complete(key);
  return key;
}

export async function leaseOf(ledger: Ledger, key: number): Promise<Lease> {
  const lease = await ledger.lease(key);
  if (lease === undefined) throw new Error('the lease is taken');
  onTestFinished(() => lease.release());
  return lease;
}

const numbers = (rows: readonly LedgerRow[]): number[] => rows.map(({ Row }) => Row);

/** The message id of a row's update: these tests send each try once. */
const sentRow = (row: Pick<LedgerRow, 'Row' | 'try'>): SentRow => ({
  row: row.Row,
  messageId: `m-${requestIdOf(row)}`,
});

/** Claims so many rows and marks them as sent. */
export async function send(lease: Lease, max: number): Promise<void> {
  const sent = (await lease.claim(max)).map(sentRow);
  await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
}

export const outcome = (facts: Partial<Outcome>): { outcome: Outcome } => ({
  outcome: {
    MessageId: `m-${facts.RequestId ?? requestIdOf({ Row: 1, try: 1 })}`,
    JobId: 'j',
    Identifier: 't1',
    RequestId: requestIdOf({ Row: 1, try: 1 }),
    Outcome: 'applied',
    Attempts: 1,
    At: '2026-11-25T07:00:01.000Z',
    ...facts,
  },
});
export const abandoned = (facts: Partial<Outcome>): ReceivedOutcome => ({
  ...outcome(facts),
  abandoned: true,
});
export const letter = (facts: Partial<Outcome> = {}) =>
  outcome({
    Outcome: 'dead-lettered',
    Reason: 'Rejected',
    Error: { name: 'ValidationException', status: 400, message: 'no' },
    ...facts,
  });
const ofRow = (Row: number, attempt = 1): Partial<Outcome> => ({
  Identifier: `t${Row}`,
  RequestId: requestIdOf({ Row, try: attempt }),
});

async function rowsOf(ledger: Ledger, key: number): Promise<LedgerRow[]> {
  const rows = (await Array.fromAsync(ledger.pages(key))).flat();
  return rows.filter((row): row is LedgerRow => !('LeftOut' in row));
}

const states = async (ledger: Ledger, key: number): Promise<string[]> =>
  (await rowsOf(ledger, key)).map(({ state }) => state);

export function describeLedger(name: string, create: () => LedgerStore): void {
  describe(name, () => {
    const openOne = (): Promise<Ledger> => create().open();

    test('tells all it knows of one task: rows of every job, left-out rows, outcomes of no row', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 3);
      await send(await leaseOf(ledger, key), 3);
      await ledger.end([
        letter(ofRow(2)),
        outcome({ ...ofRow(2), MessageId: 'another', Description: 'other' }),
        { outcome: { MessageId: 'alone', Identifier: 't2', Outcome: 'applied', Attempts: 1, At: at } },
      ]);
      const other = await ledger.begin({ ...newJob, jobId: 'k', digest: 'sha256:2' });
      await ledger.enter(other.key, [
        { Row: 1, Identifier: 't2', LeftOut: 'duplicate', Reason: 'row 2 names it again' },
        taskRow(2),
      ]);
      const { rows, outcomes, cut } = await ledger.ofTask('t2', 10);
      const sent = { messageIds: ['m-r000002.1'], sentAt: now, row: { Row: 2, state: 'dead-lettered' } };
      expect(rows.toSorted((a, b) => a.jobId.localeCompare(b.jobId) || b.row.Row - a.row.Row)).toMatchObject([
        { jobId: 'j', issuedAt: new Date(now).toISOString(), ...sent },
        { jobId: 'k', messageIds: [], sentAt: undefined, row: { Row: 2, state: 'planned' } },
        { jobId: 'k', messageIds: [], row: { Row: 1, LeftOut: 'duplicate', Reason: 'row 2 names it again' } },
      ]);
      expect(outcomes).toMatchObject([
        { jobId: undefined, messageId: 'alone', foreign: false, state: 'applied', end: { at } },
        { jobId: 'j', name: 'r000002.1', messageId: 'another', foreign: true, state: 'applied' },
      ]);
      expect(cut).toBe(false);
      expect(await ledger.ofTask('t2', 1)).toMatchObject({ rows: [{}], outcomes: [{}], cut: true });
      expect(await ledger.ofTask('t9', 1)).toEqual({ rows: [], outcomes: [], cut: false });
    });

    test('gives rows out once, in order, and counts where they are', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 5);
      const lease = await leaseOf(ledger, key);
      expect(numbers(await lease.claim(3))).toEqual([1, 2, 3]);
      expect(numbers(await lease.claim(10))).toEqual([4, 5]);
      await lease.settle({
        sent: [1, 2].map((Row) => sentRow({ Row, try: 1 })),
        refused: [{ row: 3, reason: 'too long' }],
        untouched: [4],
        maybeTwice: 0,
      });
      const counts = await ledger.count(key);
      expect(counts).toMatchObject({ total: 5, planned: 1, inFlight: 3, failed: 1, ended: 1 });
      expect(counts.causes).toEqual([{ cause: 'RefusedBySqs', rows: 1 }]);
      expect((await rowsOf(ledger, key)).map(({ state, sends }) => `${state} ${sends}`)).toEqual([
        'sent 1',
        'sent 1',
        'refused 1',
        'planned 0',
        'sending 1',
      ]);
    });

    test('pages through rows to change and rows that were left out, in their order', async () => {
      const ledger = await openOne();
      const { key } = await ledger.begin(newJob);
      const rows = Array.from({ length: 1_203 }, (_, i): PlanRow => {
        const Row = i + 1;
        if (Row % 3 === 0) return { Row, LeftOut: 'duplicate', Identifier: `t${Row}`, Reason: 'no' };
        return { ...taskRow(Row), ...(Row === 1 && { Former: { Description: 'old' } }) };
      });
      await ledger.enter(key, rows);
      expect(await ledger.lastRow(key)).toBe(1_203);
      const paged = (await Array.fromAsync(ledger.pages(key))).flat();
      expect(paged).toHaveLength(rows.length);
      expect(paged).toMatchObject(rows);
    });

    test('keeps control of a job, and changes only what is to change', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      const progress = { ...beginning, good: 1, failed: 2, canaryPassed: true };
      const who = 'ann@ops1';
      await ledger.setSettings(key, { change: () => ({ settings: { canary: { rows: 3 } }, progress }), who });
      await ledger.setSettings(key, { change: () => ({ settings: { window: 4 } }), who });
      expect((await ledger.job('j'))?.plan).toMatchObject({ settings: { window: 4 }, progress });
      expect(await ledger.setProgress(key, beginning, progress)).toBe(true);
      expect((await ledger.job('j'))?.plan).toMatchObject({ settings: { window: 4 }, progress: beginning });
    });

    test('what its undos have restored counts once, without what was undone of them, and not that of an earlier job of its name', async () => {
      const store = create();
      let clock = now;
      const ledger = await store.open(() => clock);
      const applied = async (jobId: string, rows: number, undoes?: string): Promise<number> => {
        const { key } = await ledger.begin({ ...newJob, jobId, digest: jobId, ...(undoes && { undoes }) });
        const all = Array.from({ length: rows }, (_, i) => taskRow(i + 1));
        await ledger.enter(key, all);
        await ledger.complete(key);
        const lease = await leaseOf(ledger, key);
        await send(lease, rows);
        await lease.release();
        await ledger.end(all.map(({ Row }) => outcome({ ...ofRow(Row), JobId: jobId })));
        await ledger.change(key, { event: 'finish', who: 'ann@ops1' });
        return key;
      };
      const restored = async (jobId = 'j') =>
        (await ledger.standing((await ledger.job(jobId)) ?? fail())).undos.map((undo) => [
          undo.jobId,
          undo.applied,
        ]);
      const first = await applied('j', 9);
      await applied('j-undo', 7, 'j');
      expect(await restored()).toEqual([['j-undo', 7]]);
      await applied('again', 4, 'j-undo');
      expect([await restored('j-undo'), await restored()]).toEqual([[['again', 4]], [['j-undo', 3]]]);
      await applied('j-undo-2', 2, 'j');
      await applied('once-more', 3, 'again');
      expect(await restored()).toEqual([
        ['j-undo-2', 2],
        ['j-undo', 6],
      ]);
      // Its clock is behind: the ledger's order tells as much.
      clock = now - 5_000;
      await applied('late', 1, 'j');
      expect((await restored())[0]).toEqual(['late', 1]);
      clock = now + 5_000;
      while ((await ledger.pruneJob(first, clock, 100)) === 'more');
      await applied('j', 9);
      expect(await restored()).toEqual([]);
    });

    test('keeps how far a job is where another has changed that meanwhile', async () => {
      const store = create();
      const [ledger, other] = [await store.open(), await store.open()];
      const key = await enterJob(ledger, 1);
      const progress = async () => (await other.job('j'))?.plan?.progress ?? fail();
      const before = await progress();
      const given: StageProgress = { ...before, canaryPassed: true, canary: '1', since: now };
      await ledger.setSettings(key, { change: () => ({ progress: given }), who: 'ann@ops1' });
      expect(await other.setProgress(key, { ...before, passed: 9 }, before)).toBe(false);
      expect(await progress()).toEqual(given);
      const seen = { at: 3, ended: 2, failed: 1, underWay: 0, judged: { after: 0, ended: 2, failed: 1 } };
      expect(await other.setProgress(key, { ...given, devices: seen }, await progress())).toBe(true);
      expect(await ledger.setProgress(key, { ...given, passed: 1 }, await progress())).toBe(true);
      expect(await progress()).toEqual({ ...given, passed: 1 });
      // Of a job that is gone nobody has changed it.
      expect(await ledger.setProgress(key + 1, given, before)).toBe(true);
    });

    test('loses no change of settings that are changed by several at once', async () => {
      const store = create();
      const [ledger, other] = [await store.open(), await store.open()];
      const key = await enterJob(ledger, 1);
      const add = (one: Ledger, given: JobSettings): Promise<boolean> =>
        one.setSettings(key, {
          change: ({ settings }) => ({ settings: { ...settings, ...given } }),
          who: 'a@b',
        });
      await Promise.all([add(ledger, { window: 50 }), add(other, { rate: 9 }), add(ledger, { priority: 2 })]);
      expect((await other.job('j'))?.plan?.settings).toEqual({ window: 50, rate: 9, priority: 2 });
    });

    test('changes nothing where the change throws', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      const refused = (): never => {
        throw new Error('they contradict each other');
      };
      await expect(ledger.setSettings(key, { change: refused, who: 'a@b' })).rejects.toThrow('contradict');
      expect((await ledger.audit(9, 'j')).map(({ what }) => what)).toEqual(['begin']);
    });

    describe('keeps the state of a job', () => {
      const who = 'bob@ops2';

      test('and who changed it, when and why, in the audit too', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 1);
        const state = async () => (await ledger.job('j'))?.plan?.state;
        expect(await state()).toEqual({ name: 'planned', since: now, who: 'ann@ops1' });
        expect(await ledger.change(key, { event: 'release', who })).toBe(true);
        expect(await ledger.change(key, { event: 'pause', who, why: 'the API is changed' })).toBe(true);
        expect(await state()).toEqual({ name: 'paused', since: now + 2, who, why: 'the API is changed' });
        expect(await ledger.change(key, { event: 'finish', who, since: now })).toBe(false);
        expect(await ledger.change(key, { event: 'settle', who })).toBe(false);
        await ledger.setSettings(key, { change: () => ({ settings: { window: 7 } }), who, why: 'too fast' });
        expect((await ledger.job('j'))?.plan?.settings).toEqual({ window: 7 });
        await ledger.addAudit({ who, what: 'purge', subject: 'q', why: undefined, detail: { letters: 2 } });
        const lines = await ledger.audit(10, 'j');
        expect(lines.map(({ what }) => what)).toEqual(['set', 'pause', 'release', 'begin']);
        expect(lines[0]).toMatchObject({
          at: now,
          who,
          why: 'too fast',
          detail: { from: {}, to: { window: 7 } },
        });
        expect(lines[1]).toMatchObject({
          why: 'the API is changed',
          detail: { from: 'running', to: 'paused' },
        });
        const [latest, ...older] = await ledger.audit(2);
        expect(latest).toMatchObject({ what: 'purge', subject: 'q', why: undefined, detail: { letters: 2 } });
        expect(older).toEqual([lines[0]]);
        expect(await ledger.audit(10, undefined, lines[0]?.seq)).toEqual(lines.slice(1));
        expect(await ledger.lastAudit('j', 'pause', 'none')).toEqual(lines[1]);
        expect(await ledger.lastAudit('j', 'pause', lines[0]?.what ?? '')).toEqual(lines[0]);
        expect(await ledger.lastAudit('j', 'purge', 'none')).toBeUndefined();
      });

      test('and what it was stopped for, when it has come to rest', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 1);
        await ledger.change(key, { event: 'release', who });
        await ledger.change(key, { event: 'abort', who: 'the rule', why: 'too many failed' });
        await ledger.change(key, { event: 'settle', who });
        expect((await ledger.job('j'))?.plan?.state).toMatchObject({
          name: 'aborted',
          why: 'too many failed',
        });
      });

      test('and ends the rows that a cancelled one had not sent, some at a time', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 5);
        await send(await leaseOf(ledger, key), 2);
        await ledger.change(key, { event: 'cancel', who: 'a@b' });
        expect([await ledger.cancelRows(key, 2), await ledger.cancelRows(key, 2)]).toEqual([2, 1]);
        expect(await ledger.cancelRows(key, 2)).toBe(0);
        expect(await ledger.count(key)).toMatchObject({
          inFlight: 2,
          notSent: 3,
          ended: 3,
          endedByWorkers: 0,
          failed: 0,
        });
        expect(await states(ledger, key)).toEqual(['sent', 'sent', 'not-sent', 'not-sent', 'not-sent']);
      });
    });

    test('enters the report of a job that comes to rest, if it files one, with the change itself', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      const who = 'a@b';
      const due = () => ledger.takeNotices([REPORT_TARGET], 10, now);
      await ledger.change(key, { event: 'stop', who });
      await ledger.change(key, { event: 'settle', who });
      expect(await due()).toEqual([]);
      await ledger.setSettings(key, { change: () => ({ settings: { reportTo: 'filed' } }), who });
      await ledger.change(key, { event: 'resume', who });
      await ledger.change(key, { event: 'stop', who });
      expect(await due()).toEqual([]);
      await ledger.change(key, { event: 'settle', who, notice: { kind: 'aborted', targets: ['sns'] } });
      const [report, ...others] = await due();
      expect(others).toEqual([]);
      const { state } = (await ledger.job('j'))?.plan ?? {};
      expect(report).toMatchObject({ jobId: 'j', kind: 'report', state });
      // The notice of it says when, and so where: it has the same time.
      expect(await ledger.takeNotices(['sns'], 10, now)).toMatchObject([{ kind: 'aborted', at: report?.at }]);
      await ledger.noticeTold(report?.id ?? 0, REPORT_TARGET);
      expect(await due()).toEqual([]);
    });

    test('keeps notices until all of their targets have them', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      await ledger.change(key, { event: 'release', who: 'a@b' });
      const notice = { kind: 'aborted', targets: ['webhook', 'sns'] } as const;
      await ledger.change(key, { event: 'abort', who: 'a@b', why: 'w', notice });
      await ledger.change(key, { event: 'resume', who: 'a@b', notice: { ...notice, targets: [] } });
      const due = (...targets: readonly string[]) => ledger.takeNotices(targets, 10, now);
      const [first] = await due('webhook');
      expect(first).toMatchObject({ jobId: 'j', ...notice, at: now, told: [], failures: 0 });
      expect(first).toMatchObject({ state: { name: 'stopping', why: 'w' }, counts: { planned: 1 } });
      const id = first?.id ?? 0;
      expect(await due('eventbridge')).toEqual([]);
      await ledger.noticeTold(id, 'webhook');
      expect(await due('webhook')).toEqual([]);
      expect(await due('webhook', 'sns')).toMatchObject([{ told: ['webhook'] }]);
      await ledger.noticeFailed(id, now);
      expect(await due('sns')).toMatchObject([{ failures: 1 }]);
      // A backoff is no whole number of milliseconds.
      await ledger.noticeFailed(id, now + 0.25);
      expect(await due('sns')).toEqual([]);
      await ledger.noticeTold(id, 'sns');
      await ledger.addNotice(key, { kind: 'stuck', targets: ['sns'] });
      expect(await due('sns')).toMatchObject([{ kind: 'stuck', state: { name: 'running' } }]);
    });

    test('hides notices that one process has taken from the others for a time', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      await ledger.addNotice(key, { kind: 'stuck', targets: ['sns'] });
      expect(await ledger.takeNotices(['sns'], 10, now + 1)).toHaveLength(1);
      expect(await ledger.takeNotices(['sns'], 10, now + 1)).toEqual([]);
    });

    test('a notice to any target goes to those of whoever takes it first, if that is soon enough', async () => {
      const store = create();
      const ledger = await store.open();
      const key = await enterJob(ledger, 1);
      const any = { kind: 'done', targets: [ANY_TARGET] } as const;
      await ledger.addNotice(key, any);
      expect(await ledger.takeNotices([REPORT_TARGET], 10, now)).toEqual([]);
      expect(await ledger.takeNotices(['sns'], 10, now)).toEqual([]);
      const tooLate = await store.open(() => now + ANY_TARGET_MS + 1);
      expect(await tooLate.takeNotices(['sns', ANY_TARGET], 10, now)).toEqual([]);
      const [taken] = await ledger.takeNotices(['sns', 'webhook', ANY_TARGET], 10, now);
      expect(taken).toMatchObject({ jobId: 'j', kind: 'done', targets: ['sns', 'webhook'], told: [] });
      const id = taken?.id ?? 0;
      // It is named to them from then on, whoever sends it.
      expect(await ledger.takeNotices(['eventbridge', ANY_TARGET], 10, now)).toEqual([]);
      expect(await tooLate.takeNotices(['webhook', ANY_TARGET], 10, now)).toMatchObject([{ id }]);
      await ledger.noticeTold(id, 'sns');
      await ledger.noticeTold(id, 'webhook');
      expect(await ledger.takeNotices(['sns', 'webhook', ANY_TARGET], 10, now)).toEqual([]);
    });

    test('ends as not sent only rows of a job that is being cancelled', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 2);
      expect(await ledger.cancelRows(key, 5)).toBe(0);
      await ledger.change(key, { event: 'cancel', who: 'a@b' });
      expect(await ledger.cancelRows(key, 5)).toBe(2);
    });

    describe('pruning', () => {
      const later = now + 1_000;

      test('deletes a job that is over in parts, whose counts stay until it is gone, and leaves the audit', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 5);
        await ledger.begin({ ...newJob, jobId: 'k', digest: 'sha256:2' });
        await ledger.enter(key, [{ Row: 6, Identifier: 't6', LeftOut: 'as-wanted' }]);
        const lease = await leaseOf(ledger, key);
        await send(lease, 5);
        await ledger.end([1, 2, 3, 4, 5].map((row) => outcome(ofRow(row))));
        await ledger.end([outcome({ ...ofRow(9), MessageId: 'stray' })]);
        await lease.noteRun({ startedAt: now, ms: 10, rows: 5 });
        await ledger.change(key, {
          event: 'finish',
          who: 'a@b',
          notice: { kind: 'done', targets: ['sns'] },
        });
        expect(await ledger.pruneJob(key, now, 2)).toBe('kept');
        expect(await ledger.pruneJob(key, later, 2)).toBe('more');
        expect(await ledger.count(key)).toMatchObject({ total: 5, applied: 5 });
        expect(await rowsOf(ledger, key)).toHaveLength(3);
        let steps = 1;
        while ((await ledger.pruneJob(key, later, 2)) === 'more') steps++;
        expect(steps).toBe(5);
        expect((await ledger.jobs()).map(({ jobId }) => jobId)).toEqual(['k']);
        expect((await Array.fromAsync(ledger.pages(key))).flat()).toEqual([]);
        expect((await Array.fromAsync(ledger.unmatched(key))).flat()).toEqual([]);
        expect(await ledger.count(key)).toMatchObject({ total: 0 });
        expect(await ledger.takeNotices(['sns'], 10, now)).toEqual([]);
        expect((await ledger.audit(10, 'j')).map(({ what }) => what)).toContain('finish');
        expect(await ledger.pruneJob(key, later, 2)).toBe('gone');
      });

      test('never gives the key of a deleted job again: whoever looked it up before acts on no other job', async () => {
        const ledger = await openOne();
        const seen: number[] = [];
        const makers = [
          async (jobId: string) => (await ledger.begin({ ...newJob, jobId })).key,
          async (jobId: string) => {
            await ledger.end([abandoned({ JobId: jobId })]);
            return (await ledger.job(jobId))?.key ?? expect.fail();
          },
        ];
        for (const make of [...makers, ...makers]) {
          const key = await make(`j${seen.length}`);
          expect(seen).not.toContain(key);
          seen.push(key);
          await ledger.change(key, { event: 'finish', who: 'a@b' });
          while ((await ledger.pruneJob(key, later, 5)) === 'more');
          expect(await ledger.jobs()).toEqual([]);
          expect(await ledger.change(key, { event: 'cancel', who: 'a@b' })).toBe(false);
        }
      });

      test('leaves a job in which something can happen, however old it is', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 1);
        for (const event of ['release', 'pause', 'resume', 'stop', 'settle'] as const) {
          await ledger.change(key, { event, who: 'a@b' });
          expect(await ledger.pruneJob(key, later + 1e9, 10), event).toBe('kept');
        }
        await ledger.change(key, { event: 'cancel', who: 'a@b' });
        await ledger.cancelRows(key, 10);
        await ledger.change(key, { event: 'settle', who: 'a@b' });
        expect(await ledger.pruneJob(key, later + 1e9, 10)).toBe('more');
      });

      test('deletes outcomes of jobs that are elsewhere, and of none', async () => {
        const ledger = await openOne();
        await ledger.end([
          abandoned({ JobId: 'elsewhere' }),
          { outcome: { MessageId: 'alone', Identifier: 't', Outcome: 'applied', Attempts: 1, At: at } },
        ]);
        const key = (await ledger.job('elsewhere'))?.key ?? 0;
        expect([await ledger.pruneJob(key, later, 5), await ledger.pruneJob(key, later, 5)]).toEqual([
          'more',
          'gone',
        ]);
        expect(await ledger.pruneOutcomes(Date.parse(at), 5)).toBe(0);
        expect(await ledger.pruneOutcomes(Date.parse(at) + 1, 5)).toBe(1);
        expect((await Array.fromAsync(ledger.unmatched(WITHOUT_JOB))).flat()).toEqual([]);
      });

      test('deletes old lines of the audit but for the latest', async () => {
        const ledger = await openOne();
        for (let i = 0; i < 7; i++)
          await ledger.addAudit({ who: 'a@b', what: 'redrive', subject: 's', why: `${i}`, detail: {} });
        expect(await ledger.pruneAudit(now, 3, 10)).toBe(0);
        expect(await ledger.pruneAudit(later, 3, 2)).toBe(2);
        expect(await ledger.pruneAudit(later, 3, 10)).toBe(2);
        expect(await ledger.pruneAudit(later, 3, 10)).toBe(0);
        expect((await ledger.audit(10)).map(({ why }) => why)).toEqual(['6', '5', '4']);
      });
    });

    test('plans rows again that a process was sending when it died', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 3);
      const lease = await leaseOf(ledger, key);
      await lease.claim(2);
      expect(await lease.recover()).toBe(2);
      expect((await ledger.job('j'))?.plan?.maybeTwice).toBe(2);
      expect(await lease.claim(9)).toMatchObject([
        { Row: 1, try: 1, sends: 1 },
        { Row: 2 },
        { Row: 3, sends: 0 },
      ]);
    });

    test('keeps IssuedAt and digest of the first apply', async () => {
      const ledger = await openOne();
      await enterJob(ledger, 1);
      const again = await ledger.begin({ ...newJob, path: 'q', digest: 'sha256:2' });
      expect(again.plan).toMatchObject({
        digest: 'sha256:1',
        path: 'p',
        issuedAt: '2026-11-25T07:00:00.000Z',
      });
    });

    test('ignores a late dead letter of an earlier try, and takes a late success for the end', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 2);
      const lease = await leaseOf(ledger, key);
      await send(lease, 2);
      await ledger.end([letter(), letter(ofRow(2))]);
      expect(await lease.retryFailed(anotherTry)).toBe(2);
      await send(lease, 9);
      expect((await rowsOf(ledger, key)).map((row) => row.try)).toEqual([2, 2]);
      const late = [letter({ At: '2026-11-25T08:00:00.000Z' }), outcome(ofRow(2))];
      expect(await ledger.end(late)).toMatchObject({ rows: 1, nothingNew: 1 });
      expect(await states(ledger, key)).toEqual(['sent', 'applied']);
      await ledger.end([letter(ofRow(1, 2))]);
      expect(await states(ledger, key)).toEqual(['dead-lettered', 'applied']);
    });

    test('ends a row alike in whatever order and however often its outcomes come', async () => {
      const ends = ['applied', 'superseded', 'dead-lettered'] as const;
      const ledger = await openOne();
      let job = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...ends), { minLength: 1, maxLength: 6 }), async (told) => {
          const jobId = `p${job++}`;
          const { key } = await ledger.begin({ ...newJob, jobId });
          await ledger.enter(key, [taskRow(1)]);
          await send(await leaseOf(ledger, key), 1);
          for (const Outcome of told) {
            const one =
              Outcome === 'dead-lettered' ? letter({ JobId: jobId }) : outcome({ JobId: jobId, Outcome });
            await ledger.end([one, one]);
          }
          const final = told.find((end) => end !== 'dead-lettered') ?? 'dead-lettered';
          expect(await states(ledger, key)).toEqual([final]);
          const failed = final === 'dead-lettered' ? 1 : 0;
          expect(await ledger.count(key)).toMatchObject({ ended: 1, failed });
        }),
        { numRuns: 40 },
      );
    });

    describe('takes an outcome for the end of a row', () => {
      const issuedAt = new Date(now).toISOString();
      /** All that a worker can say of row 1's own update; `m-x` is a message that the ledger does not know. */
      const own = { MessageId: 'm-x', Identifier: 't1', Description: 'new', IssuedAt: issuedAt };
      const sent = 'sent' as const;
      const planned = 'planned' as const;

      test.each<[string, Partial<Outcome>, 'sent' | 'killed' | 'never sent', string]>([
        ['that has the id of its message', {}, 'sent', 'applied'],
        [
          'of its redriven message',
          { MessageId: 'm-2', OriginalMessageId: 'm-r000001.1' },
          'sent',
          'applied',
        ],
        ['of another message that names it', { MessageId: 'm-x' }, 'sent', sent],
        ['of another redriven message', { MessageId: 'm-2', OriginalMessageId: 'm-1' }, 'sent', sent],
        ['of another message with its values', own, 'sent', 'applied'],
        ['with its values, after a kill', own, 'killed', 'applied'],
        ['with other values', { ...own, Description: 'evil' }, 'killed', planned],
        ['with one value more', { ...own, TaskConfigurationId: 'evil' }, 'killed', planned],
        ['issued at another time', { ...own, IssuedAt: '2026-11-25T07:00:00.001Z' }, 'killed', planned],
        ['that does not say when', { ...own, IssuedAt: undefined }, 'killed', planned],
        ['of a later try', { ...own, RequestId: requestIdOf({ Row: 1, try: 2 }) }, 'killed', planned],
        ['that was never sent, with other values', { MessageId: 'm-x' }, 'never sent', planned],
        ['that was never sent, with its values', own, 'never sent', planned],
      ])('%s: %j of a row %s', async (_what, facts, sending, expected) => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 1);
        const lease = await leaseOf(ledger, key);
        if (sending === 'sent') await send(lease, 1);
        if (sending === 'killed') await lease.claim(1).then(() => lease.recover());
        const { rows, foreign } = await ledger.end([outcome(facts), letter(ofRow(7))]);
        expect(await states(ledger, key)).toEqual([expected]);
        const ended = expected === 'applied' ? 1 : 0;
        expect({ rows, foreign }).toEqual({ rows: ended, foreign: 1 - ended });
        const job = (await ledger.job('j')) ?? fail();
        expect(await ledger.standing(job)).toMatchObject({ foreign: 1 - ended, unmatched: 1 });
      });

      test('that came before its message id was known', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 3);
        const lease = await leaseOf(ledger, key);
        const rows = await lease.claim(3);
        const early = [outcome(ofRow(1)), letter(ofRow(2)), outcome({ ...ofRow(3), MessageId: 'm-x' })];
        expect(await ledger.end(early)).toMatchObject({ rows: 0, foreign: 3 });
        await lease.settle({ sent: rows.map(sentRow), refused: [], untouched: [], maybeTwice: 0 });
        expect(await states(ledger, key)).toEqual(['applied', 'dead-lettered', 'sent']);
        expect((await ledger.count(key)).causes).toEqual([{ cause: 'ValidationException', rows: 1 }]);
        expect(await ledger.standing((await ledger.job('j')) ?? fail())).toMatchObject({ foreign: 1 });
      });

      test('of any of the messages that it was sent in', async () => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 1);
        const lease = await leaseOf(ledger, key);
        await send(lease, 1);
        await ledger.end([letter()]);
        await lease.retryFailed(anotherTry);
        await send(lease, 1);
        await ledger.end([outcome({ MessageId: 'm-r000001.1' })]);
        expect(await states(ledger, key)).toEqual(['applied']);
      });
    });

    test('stores outcomes of jobs whose plan is elsewhere, of no job, and of no row', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      const strange: ReceivedOutcome[] = [
        abandoned({ JobId: 'foreign', RequestId: 'row-000017' }),
        { ...letter({ JobId: 'foreign', RequestId: 'row-000018' }), abandoned: true },
        outcome({ JobId: undefined, RequestId: 'row-000017' }),
        outcome({ Identifier: 'another' }),
        outcome({ RequestId: requestIdOf({ Row: 7, try: 1 }) }),
      ];
      expect(await ledger.end(strange)).toMatchObject({ rows: 0, unmatched: 5 });
      await ledger.end(strange);
      const foreign = await ledger.job('foreign');
      if (foreign === undefined) throw new Error('no such job');
      expect(foreign.plan).toBeUndefined();
      expect((await ledger.standing(foreign)).counts).toMatchObject({ ended: 2, applied: 1, failed: 1 });
      const unmatched = async (of: number) => (await Array.fromAsync(ledger.unmatched(of))).flat();
      expect(await unmatched(WITHOUT_JOB)).toHaveLength(1);
      expect((await unmatched(key)).map(({ name }) => name)).toEqual(['r000001.1', 'r000007.1']);
      expect(await states(ledger, key)).toEqual(['planned']);
    });

    test('leaves outcomes of jobs whose plan is elsewhere, until they are abandoned', async () => {
      const ledger = await openOne();
      await enterJob(ledger, 1);
      const [other, own, kept] = [outcome({ JobId: 'other' }), outcome({}), abandoned({ JobId: 'another' })];
      const first = await ledger.end([other, own, kept]);
      expect(first).toMatchObject({ left: [other], adopted: new Set(['another']) });
      expect(first.left[0]).toBe(other);
      expect(await ledger.job('other')).toBeUndefined();
      // What it knows by outcomes alone is still no job of its own.
      const second = outcome({ JobId: 'another' });
      expect((await ledger.end([second])).left).toEqual([second]);
    });

    test('takes the plan of a job that it knew by outcomes alone', async () => {
      const ledger = await openOne();
      await ledger.end([abandoned({})]);
      const key = await enterJob(ledger, 1);
      const [job] = await ledger.jobs();
      expect(job).toMatchObject({ key, plan: { rows: 1, complete: true } });
      expect(await ledger.standing(job ?? fail())).toMatchObject({ counts: { planned: 1 }, unmatched: 1 });
    });

    test('keeps nothing secret of an error', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1);
      await send(await leaseOf(ledger, key), 1);
      const secret = 'Authorization: AWS4-HMAC-SHA256 Signature=x';
      const error = { name: secret, message: `no: ${secret}`, requestId: secret };
      await ledger.end([letter({ Error: error })]);
      expect((await rowsOf(ledger, key))[0]?.end.error).toEqual({ name: '', message: 'no:', requestId: '' });
    });

    test.each([0, 1_000_000, 2 ** 52, Number.MAX_SAFE_INTEGER])(
      'stays readable when outcomes claim %d calls each',
      async (Attempts) => {
        const ledger = await openOne();
        const key = await enterJob(ledger, 4);
        await send(await leaseOf(ledger, key), 4);
        const ends = [1, 2, 3, 4].map((row) => outcome({ ...ofRow(row), Attempts }));
        await ledger.end(ends.map(({ outcome }) => parsed(JSON.stringify(outcome))));
        await ledger.end(
          [1, 2, 3].map((row) => abandoned({ JobId: 'foreign', RequestId: `r${row}`, Attempts })),
        );
        const most = Math.min(Attempts, 1_000_000);
        expect(await ledger.count(key)).toMatchObject({ applied: 4, calls: 4 * most });
        expect((await rowsOf(ledger, key)).map(({ end }) => end.attempts)).toEqual(Array(4).fill(most));
        const foreign = await ledger.job('foreign');
        expect((await ledger.standing(foreign ?? fail())).counts).toMatchObject({ applied: 3 });
      },
    );

    test('reconciles rows without an outcome, and counts those that may be sent twice', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 5);
      const lease = await leaseOf(ledger, key);
      await send(lease, 5);
      await ledger.end([outcome(ofRow(5))]);
      expect(numbers((await Array.fromAsync(lease.unended())).flat())).toEqual([1, 2, 3, 4]);
      const error = { name: 'ResourceNotFoundException', status: 404, message: 'no such task' };
      const found = { applied: [1, 5], again: [2, 3, 3], gone: [{ row: 4, error }] };
      expect(await lease.reconcile(found)).toEqual({ applied: 1, again: 2, gone: 1 });
      expect(await states(ledger, key)).toEqual([
        'applied',
        'planned',
        'planned',
        'dead-lettered',
        'applied',
      ]);
      expect((await rowsOf(ledger, key))[3]).toMatchObject({ end: { error }, reconciled: true });
      const job = (await ledger.job('j')) ?? fail();
      expect(job.plan?.maybeTwice).toBe(2);
      const counts = { planned: 2, failed: 1, ended: 3, endedByWorkers: 1 };
      expect(await ledger.standing(job)).toMatchObject({ reconciled: 2, counts });
      // Planned again, it is of no end.
      expect(await lease.retryFailed(anotherTry)).toBe(1);
      expect(await ledger.count(key)).toMatchObject({ ended: 2, endedByWorkers: 1 });
    });

    test('the order of sending is known, whatever the clocks of one sender and the next say', async () => {
      const store = create();
      const first = await store.open();
      const key = await enterJob(first, 6);
      const sentAt = async () => (await rowsOf(first, key)).map((row) => row.sentAt);
      expect([await first.lastSent(key), await sentAt()]).toEqual([0, Array(6).fill(undefined)]);
      const lease = await leaseOf(first, key);
      await send(lease, 2);
      await send(lease, 1);
      await lease.release();
      // Another sender, whose clock is an hour behind.
      const second = await store.open(() => now - 3_600_000);
      const next = await leaseOf(second, key);
      await next.claim(1, () => 0.5);
      await next.enterSending([{ Row: 6, Identifier: 't6', Description: 'new' }]);
      const [one, two, three, four = 0, five = 0, six = 0] = (await sentAt()).map((at = 0) => at - now);
      expect([one, two, three]).toEqual([0, 0, 1]);
      expect([four, five, six].toSorted((a, b) => a - b)).toEqual([-now, 2, 3]);
      expect(await second.lastSent(key)).toBe(now + 3);
    });

    test('claims a sample that is spread over the rows that are left, and all of them where there are few', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 1_000);
      const lease = await leaseOf(ledger, key);
      const sample = numbers(await lease.claim(10, () => 0.5));
      expect(sample).toEqual([51, 151, 251, 351, 451, 551, 651, 751, 851, 951]);
      const rest = numbers(await lease.claim(985));
      expect(new Set([...sample, ...rest]).size).toBe(995);
      expect(numbers(await lease.claim(10, () => 0.999))).toEqual([996, 997, 998, 999, 1_000]);
      expect(await lease.claim(10, () => 0)).toEqual([]);
    });

    test('knows when a job was at work, how fast rows ended, and which failed last', async () => {
      const ledger = await openOne();
      const key = await enterJob(ledger, 3);
      const standing = async () => await ledger.standing((await ledger.job('j')) ?? fail());
      expect(await standing()).toMatchObject({ times: undefined, leased: false });
      expect(await ledger.measuredRate()).toBeUndefined();
      const first = await leaseOf(ledger, key);
      await first.noteRun({ startedAt: now, ms: 0, rows: 0 });
      await send(first, 3);
      await ledger.end([
        outcome(ofRow(1)),
        letter({ ...ofRow(2), At: '2026-11-25T07:00:02.000Z' }),
        letter({ ...ofRow(3), At: '2026-11-25T07:00:03.000Z' }),
      ]);
      await first.noteRun({ startedAt: now, ms: 10_000.4, rows: 100 });
      expect(await standing()).toMatchObject({
        leased: true,
        times: { startedAt: now, endedAt: now + 10_000, ms: 10_000, rows: 100 },
      });
      await first.release();
      const second = await leaseOf(ledger, key);
      await second.noteRun({ startedAt: now + 60_000, ms: 10_000, rows: 300 });
      expect((await standing()).times).toMatchObject({ endedAt: now + 70_000, ms: 20_000, rows: 400 });
      expect(await ledger.measuredRate()).toEqual({ perSecond: 20, jobId: 'j' });
      expect((await standing()).lastFailed).toEqual([]);
      for (const event of ['release', 'abort'] as const)
        await ledger.change(key, { event, who: 'ann@ops1', why: 'Two failed' });
      await ledger.change(key, { event: 'settle', who: 'ann@ops1' });
      expect(numbers((await standing()).lastFailed)).toEqual([3, 2]);
      await second.retryFailed(anotherTry);
      expect((await standing()).times?.endedAt).toBeUndefined();
    });

    test('gives rows page by page: by state, by error and by how Identifiers begin, those that were left out in their places', async () => {
      const ledger = await openOne();
      const { key } = await ledger.begin(newJob);
      const rows = Array.from({ length: 30 }, (_, i) => taskRow(i + 1));
      const left: PlanRow = { Row: 31, LeftOut: 'as-wanted', Identifier: 't31', Reason: 'it is' };
      await ledger.enter(key, [...rows, left, { Row: 32, LeftOut: 'refused', Reason: 'no task' }]);
      await ledger.complete(key);
      const lease = await leaseOf(ledger, key);
      await send(lease, 20);
      await ledger.end([
        ...Array.from({ length: 9 }, (_, i) => outcome(ofRow(i + 1))),
        letter(ofRow(10)),
        letter({ ...ofRow(12), Error: { name: 'AccessDeniedException', status: 403, message: 'no' } }),
        outcome({ ...ofRow(13), Outcome: 'superseded' }),
      ]);
      const page = async (filter: RowFilter, after = 0, max = 100) =>
        (await ledger.rowPage(key, filter, after, max)).rows.map(({ Row }) => Row);
      expect(await page({})).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
      expect(await page({}, 30, 1)).toEqual([31]);
      expect(await page({ state: 'applied' }, 7)).toEqual([8, 9]);
      expect(await page({ state: 'planned' }, 0, 2)).toEqual([21, 22]);
      expect(await page({ state: 'sent' }, 18)).toEqual([19, 20]);
      expect(await page({ state: 'superseded' })).toEqual([13]);
      for (const state of ['failed', 'dead-lettered'] as const)
        expect(await page({ state })).toEqual([10, 12]);
      for (const state of ['refused', 'not-sent', 'sending'] as const)
        expect(await page({ state })).toEqual([]);
      expect(await page({ state: 'left-out' })).toEqual([31, 32]);
      const [cause = ''] = (await ledger.count(key)).causes
        .map((one) => one.cause)
        .filter((one) => /Acc/.test(one));
      expect(await page({ cause })).toEqual([12]);
      expect(await page({ cause, state: 'failed' })).toEqual([12]);
      expect(await page({ cause, state: 'applied' })).toEqual([]);
      expect(await page({ cause, state: 'left-out' })).toEqual([]);
      expect(await page({ identifier: 't1' })).toEqual([1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
      expect(await page({ identifier: 't1' }, 10, 2)).toEqual([11, 12]);
      expect(await page({ identifier: 't1', state: 'failed' })).toEqual([10, 12]);
      expect(await page({ identifier: 't1', cause })).toEqual([12]);
      expect(await page({ identifier: 't3', state: 'left-out' })).toEqual([31]);
      expect(await page({ identifier: 'T1' })).toEqual([]);
      expect(await page({ identifier: 't3' })).toEqual([3, 30, 31]);
      const found = await ledger.rowPage(key, { state: 'left-out', identifier: 't31' }, 0, 9);
      expect(found).toEqual({ rows: [left], next: undefined });
      expect(await ledger.rowPage(key, { state: 'failed' }, 0, 1)).toMatchObject({ next: 10 });
      expect(await ledger.rowPage(key, { state: 'failed' }, 0, 2)).toMatchObject({ next: undefined });
    });

    test('knows the rows of the plan before they are in, the job that is undone, and another IssuedAt', async () => {
      const ledger = await openOne();
      const { key, plan } = await ledger.begin({ ...newJob, rows: 20_000, undoes: 'k' });
      expect(plan).toMatchObject({ rows: 20_000, undoes: 'k', complete: false });
      await ledger.enter(key, [taskRow(1)]);
      expect(await ledger.hasFormer(key)).toBe(false);
      await ledger.enter(key, [{ ...taskRow(2), Former: { Description: '' } }]);
      expect(await ledger.hasFormer(key)).toBe(true);
      await ledger.reissue(key, at);
      expect((await ledger.job('j'))?.plan?.issuedAt).toBe(at);
    });

    describe('keeps files that are enqueued under one name', () => {
      const file = {
        jobId: 'e',
        path: '/a.csv',
        source: 'a.csv',
        digest: 'sha256:a',
        rows: 3,
        last: 4,
        who: 'ann@ops1',
      };
      const row = (Row: number, more: object = {}) => ({ ...taskRow(Row), ...more }) as ChangeRow;

      test('and goes on with one after a kill: rows that are known to be sent are not sent again', async () => {
        const ledger = await openOne();
        const { job } = await ledger.beginFile(file);
        const killed = await leaseOf(ledger, job.key);
        expect(await killed.enterSending([row(2), row(3)])).toEqual(new Set([2, 3]));
        await killed.settle({
          sent: [{ row: 2, messageId: 'm2' }],
          refused: [],
          untouched: [],
          maybeTwice: 0,
        });
        await killed.release();
        expect((await ledger.job('e'))?.plan).toMatchObject({ rows: 3, complete: false, enqueued: true });

        const again = await ledger.beginFile({ ...file, rows: 2 });
        expect(again).toMatchObject({ before: 0, job: { plan: { rows: 3 } } });
        const lease = await leaseOf(ledger, job.key);
        expect(await lease.recover()).toBe(1);
        expect(await lease.enterSending([row(2), row(3), row(4)])).toEqual(new Set([3, 4]));
        await ledger.completeFile(job.key, file.digest);
        expect((await ledger.job('e'))?.plan).toMatchObject({ rows: 3, complete: true, maybeTwice: 1 });
      });

      test('and numbers the rows of the next one after those of all before, sent or not', async () => {
        const ledger = await openOne();
        await ledger.beginFile(file);
        const other = { ...file, source: 'b.csv', digest: 'sha256:b', last: 3, rows: 2 };
        const { job, before } = await ledger.beginFile(other);
        expect({ before, plan: job.plan }).toMatchObject({
          before: 4,
          plan: { source: 'a.csv, b.csv', rows: 5 },
        });
        await ledger.completeFile(job.key, other.digest);
        expect((await ledger.job('e'))?.plan?.complete).toBe(false);
        expect((await ledger.beginFile({ ...file, digest: 'sha256:c' })).before).toBe(7);
      });

      test('and tells rows of one RequestId apart by their messages, and where a sender was killed by their values', async () => {
        const ledger = await openOne();
        const { job } = await ledger.beginFile(file);
        const lease = await leaseOf(ledger, job.key);
        const IssuedAt = '2026-11-20T07:00:00Z';
        const named = { RequestId: 'row-000002', Identifier: 't' };
        await lease.enterSending([row(2, named), row(3, named), row(4, { ...named, IssuedAt })]);
        const sent = [2, 3].map((number) => ({ row: number, messageId: `m${number}` }));
        await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
        const facts = { JobId: 'e', ...named };
        await ledger.end([
          letter({ ...facts, MessageId: 'm3' }),
          outcome({ ...facts, MessageId: 'm2' }),
          outcome({ ...facts, MessageId: 'm4', Description: 'new', IssuedAt }),
          outcome({ ...facts, MessageId: 'm5' }),
        ]);
        expect(await states(ledger, job.key)).toEqual(['applied', 'dead-lettered', 'applied']);
        expect((await ledger.standing((await ledger.job('e')) ?? fail())).foreign).toBe(1);
        expect((await rowsOf(ledger, job.key))[2]).toMatchObject({ RequestId: 'row-000002', IssuedAt });
      });

      test('and ends a row that is tried again by no outcome of an earlier try, though its name has none', async () => {
        const ledger = await openOne();
        const { job } = await ledger.beginFile(file);
        const lease = await leaseOf(ledger, job.key);
        const named = { RequestId: 'row-000002', Identifier: 't' };
        await lease.enterSending([row(2, named)]);
        const settle = (messageId: string) =>
          lease.settle({ sent: [{ row: 2, messageId }], refused: [], untouched: [], maybeTwice: 0 });
        const first = letter({ JobId: 'e', ...named, MessageId: 'm1' });
        await settle('m1');
        await ledger.end([first]);
        // Put back, and refused once more: of two the later.
        const later = { MessageId: 'm1b', OriginalMessageId: 'm1', At: '2026-11-25T07:00:09.000Z' };
        expect(await ledger.end([letter({ JobId: 'e', ...named, ...later })])).toMatchObject({ rows: 1 });
        await lease.retryFailed(anotherTry);
        expect(await ledger.end([first])).toMatchObject({ rows: 0, nothingNew: 1 });
        expect(await states(ledger, job.key)).toEqual(['planned']);
        await lease.claim(1);
        expect(await ledger.end([first])).toMatchObject({ rows: 0, nothingNew: 1 });
        await settle('m2');
        expect(await ledger.end([first])).toMatchObject({ rows: 0, nothingNew: 1 });
        expect(await ledger.end([letter({ JobId: 'e', ...named, MessageId: 'm2' })])).toMatchObject({
          rows: 1,
        });
        expect(await ledger.end([outcome({ JobId: 'e', ...named, MessageId: 'm1' })])).toMatchObject({
          rows: 1,
        });
        expect(await states(ledger, job.key)).toEqual(['applied']);
      });

      test('and leaves a job as it is whose file was sent whole, as long as no row of it is to be sent', async () => {
        const ledger = await openOne();
        const { job, isWhole } = await ledger.beginFile(file);
        expect(isWhole).toBe(false);
        const lease = await leaseOf(ledger, job.key);
        await lease.enterSending([row(2), row(3)]);
        const sent = [2, 3, 4].map((number) => ({ row: number, messageId: `m${number}` }));
        await lease.settle({ sent: sent.slice(0, 2), refused: [], untouched: [], maybeTwice: 0 });
        // As with --from-line: what it was given was sent to its end, and row 4 was not in it.
        await ledger.completeFile(job.key, file.digest);
        expect((await ledger.beginFile(file)).isWhole).toBe(false);
        expect((await ledger.job('e'))?.plan?.complete).toBe(false);
        await lease.enterSending([row(4)]);
        await ledger.completeFile(job.key, file.digest);
        expect((await ledger.beginFile(file)).isWhole).toBe(false);
        await lease.settle({ sent: sent.slice(2), refused: [], untouched: [], maybeTwice: 0 });
        await ledger.completeFile(job.key, file.digest);
        const before = await ledger.job('e');
        expect(await ledger.beginFile({ ...file, path: '/b.csv' })).toMatchObject({
          isWhole: true,
          before: 0,
        });
        expect(await ledger.beginFile({ ...file, rows: 1 })).toMatchObject({ isWhole: true });
        expect(await ledger.job('e')).toEqual(before);
        await ledger.end([letter({ JobId: 'e', ...ofRow(2), MessageId: 'm2' })]);
        expect((await ledger.beginFile(file)).isWhole).toBe(true);
        await lease.retryFailed(anotherTry);
        expect((await ledger.beginFile(file)).isWhole).toBe(false);
        expect((await ledger.job('e'))?.plan?.complete).toBe(false);
      });

      test('and leaves a job as it is that was cancelled', async () => {
        const ledger = await openOne();
        const { job } = await ledger.beginFile(file);
        await ledger.change(job.key, { event: 'cancel', who: 'a@b' });
        const before = await ledger.job('e');
        expect((await ledger.beginFile({ ...file, digest: 'sha256:b' })).job).toEqual(before);
        expect(await ledger.job('e')).toEqual(before);
      });

      test('and leaves a job that has a plan as it is', async () => {
        const ledger = await openOne();
        await enterJob(ledger, 1);
        const { job } = await ledger.beginFile({ ...file, jobId: 'j' });
        expect(job.plan).toMatchObject({ digest: 'sha256:1', enqueued: false, rows: 1 });
      });
    });

    test('lets one process at a time send a job', async () => {
      const store = create();
      const [ledger, other] = [await store.open(), await store.open()];
      const key = await enterJob(ledger, 1);
      const lease = await leaseOf(ledger, key);
      expect(await other.lease(key)).toBeUndefined();
      expect(await other.isLeased(key)).toBe(true);
      expect(await other.isLeased(key + 1)).toBe(false);
      await lease.release();
      expect(await other.isLeased(key)).toBe(false);
      expect(await other.lease(key)).toBeDefined();
    });
  });
}

function parsed(body: string): ReceivedOutcome {
  const found = parseOutcome(body);
  if ('fault' in found) throw new Error(found.fault);
  return found;
}

function fail(): never {
  throw new Error('not there');
}
