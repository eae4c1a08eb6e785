/** Reads a plan file. The whole file is verified before the first row is used. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { CommandError, misuse } from '../../errors.ts';
import { beginningOf } from '../../files/inspect.ts';
import { readLines } from '../../input/lines.ts';
import { openSource, type Source, type SourceOptions } from '../../input/source.ts';
import { counted } from '../../text/numbers.ts';
import { printable } from '../../text/printable.ts';
import {
  countedAs,
  PLAN_FORM,
  type PlanCounts,
  type PlanFooter,
  type PlanHeader,
  type PlanRow,
  parseFooter,
  parseHeader,
  parseRow,
  planDigest,
  planVersion,
} from './format.ts';

/** A verified plan. */
export interface Plan {
  readonly header: PlanHeader;
  readonly footer: PlanFooter;
  /** Whether at least one row has a former value: without one, nothing can be undone. */
  readonly hasFormer: boolean;
  /**
   * The rows in order, including those left out; may be called again when the previous reading has ended.
   * @throws CommandError if the file has changed since it was verified.
   */
  rows(): AsyncGenerator<PlanRow, undefined>;
  close(): Promise<void>;
}

/**
 * Opens FILE, or stdin for `-`, and verifies it: the digest, the numbers of the rows and their count.
 * @throws CommandError that says what is wrong with it, where, and how to fix it; the signal's AbortError.
 */
export async function readPlan(file: string, options: Omit<SourceOptions, 'format'>): Promise<Plan> {
  const source = await openSource(file, { ...options, format: 'jsonl' });
  try {
    const verified = await verify(source, options.signal);
    const { footer } = verified;
    return { ...verified, rows: () => readRows(source, footer), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Reads only a file's first line, so that a file that is not a plan is refused before anything else is required. Skips stdin.
 * @throws CommandError, as `readPlan` does.
 */
export async function requirePlan(file: string, options: Omit<SourceOptions, 'format'>): Promise<void> {
  if (file === '-') return;
  const [first = ''] = beginningOf(resolve(options.cwd, file)).split('\n', 1);
  if (planVersion(first) === undefined) await (await readPlan(file, options)).close();
}

async function verify(
  source: Source,
  signal: AbortSignal,
): Promise<Pick<Plan, 'header' | 'footer' | 'hasFormer'>> {
  const digest = new PlanDigest(source.name);
  let header: PlanHeader | undefined;
  let footer: PlanFooter | undefined;
  let footerText = '';
  let rows = 0;
  let hasFormer = false;
  const counts = { toChange: 0, alreadyAsWanted: 0, refused: 0, duplicates: 0 };
  for await (const { number, text, cut } of readLines(digest.pass(source.chunks()))) {
    signal.throwIfAborted();
    if (header === undefined) {
      header = readHeader(text, source.name);
      continue;
    }
    if (footer !== undefined) throw fault(source.name, number, 'continues after its last line');
    const row = cut ? undefined : parseRow(text);
    if (row === undefined) {
      footer = parseFooter(text);
      footerText = text;
      if (footer === undefined) throw fault(source.name, number, 'holds a line that is not a row of a plan');
    } else if (row.Row !== ++rows) {
      throw fault(source.name, number, `holds row ${row.Row} where row ${rows} belongs`);
    } else {
      counts[countedAs(row)]++;
      hasFormer ||= 'Former' in row && Object.keys(row.Former ?? {}).length > 0;
    }
  }
  if (header === undefined || footer === undefined) {
    const end = `it ends after ${counted(rows, 'row')}, without its last line`;
    throw misuse(`The plan ${printable(source.name)} is cut short: ${end}. ${REMEDY}`);
  }
  // The digest does not cover how the last line itself is written: it must be exactly what the writer writes.
  const written = JSON.stringify({ Counts: footer.Counts, Digest: digest.value(footer.Counts) });
  const agrees = Object.entries(counts).every(
    ([name, count]) => footer.Counts[name as keyof PlanCounts] === count,
  );
  if (!agrees || footerText !== written) {
    throw misuse(
      `The plan ${printable(source.name)} was changed after it was made: its digest does not match. ${REMEDY}`,
    );
  }
  return { header, footer, hasFormer };
}

async function* readRows(source: Source, { Counts }: PlanFooter): AsyncGenerator<PlanRow, undefined> {
  const changed = (): CommandError =>
    new CommandError(`The plan ${printable(source.name)} changed while it was in use.`);
  if (await source.changed()) throw changed();
  const all = Object.values(Counts).reduce((sum, count) => sum + count, 0);
  let rows = 0;
  for await (const { number, text } of readLines(source.chunks())) {
    if (number === 1) continue;
    // Read the last line, too: breaking off would close the file, and it could not be read again.
    if (rows === all) continue;
    const row = parseRow(text);
    if (row?.Row !== ++rows) throw changed();
    yield row;
  }
}

const REMEDY = 'Make it again with `jobs plan`; nothing was sent.';

function readHeader(text: string, name: string): PlanHeader {
  const header = parseHeader(text);
  if (header !== undefined) return header;
  const version = planVersion(text);
  if (version !== undefined && version !== PLAN_FORM) {
    throw misuse(`${printable(name)} is a plan of another release (form ${version}). ${REMEDY}`);
  }
  throw misuse(
    `${printable(name)} is not a plan: its first line is not that of a plan. \`jobs plan\` writes plans.`,
  );
}

function fault(name: string, line: number, what: string): CommandError {
  return misuse(`The plan ${printable(name)} was changed: it ${what} (line ${line}). ${REMEDY}`);
}

/** Upper limit on the last line, in bytes: a footer has about two hundred. */
const MAX_FOOTER_BYTES = 65_536;
const LF = 10;

/** The digest of all lines except the last, and of the counts in the last, computed as bytes pass through. */
class PlanDigest {
  readonly #hash = createHash('sha256');
  readonly #name: string;
  /** The last line so far. */
  #last: Buffer = Buffer.alloc(0);

  constructor(name: string) {
    this.#name = name;
  }

  async *pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of chunks) {
      this.#take(chunk);
      yield chunk;
    }
  }

  value(counts: PlanCounts): string {
    return planDigest(this.#hash, counts);
  }

  #take(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#last, chunk]);
    // A line feed at the very end belongs to the last line.
    const start = bytes.subarray(0, -1).lastIndexOf(LF) + 1;
    this.#hash.update(bytes.subarray(0, start));
    this.#last = bytes.subarray(start);
    if (this.#last.length > MAX_FOOTER_BYTES) {
      throw misuse(`${printable(this.#name)} is not a plan: it holds a line that is too long for a plan.`);
    }
  }
}
