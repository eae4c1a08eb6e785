/** Reads a plan file: all of it is verified before the first row is given out. */
import { createHash } from 'node:crypto';
import { EnqueueFailure, InputFault } from '../../input/faults.ts';
import { readLines } from '../../input/lines.ts';
import { openSource, type Source, type SourceOptions } from '../../input/source.ts';
import { printable } from '../../text/printable.ts';
import { parseFooter, parseHeader, parseRow, planDigest, planVersion } from './lines.ts';
import {
  countedAs,
  PLAN_FORM,
  type PlanCounts,
  type PlanFooter,
  type PlanHeader,
  type PlanLine,
} from './types.ts';

/** A verified plan. */
export interface Plan {
  readonly header: PlanHeader;
  readonly footer: PlanFooter;
  /**
   * The rows in order, those left out among them; may be called again when the reading before has ended.
   * @throws EnqueueFailure when the file was written to since it was verified.
   */
  rows(): AsyncGenerator<PlanLine, undefined>;
  close(): Promise<void>;
}

/**
 * Opens and verifies FILE, or stdin for `-`: the digest, the numbers of the rows and their count.
 * @throws InputFault that says what is wrong with it, where, and how to mend it; the signal's AbortError.
 */
export async function readPlan(file: string, options: Omit<SourceOptions, 'format'>): Promise<Plan> {
  const source = await openSource(file, { ...options, format: 'jsonl' });
  try {
    const { header, footer } = await verify(source, options.signal);
    return { header, footer, rows: () => readRows(source, footer), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function verify(
  source: Source,
  signal: AbortSignal,
): Promise<{ header: PlanHeader; footer: PlanFooter }> {
  const digest = new PlanDigest(source.name);
  let header: PlanHeader | undefined;
  let footer: PlanFooter | undefined;
  let footerText = '';
  let rows = 0;
  const counts = { toChange: 0, alreadyAsWanted: 0, refused: 0, duplicates: 0 };
  for await (const { number, text, cut } of readLines(digest.pass(source.chunks()))) {
    signal.throwIfAborted();
    if (header === undefined) {
      header = readHeader(text, source.name);
      continue;
    }
    if (footer !== undefined) throw fault(source.name, number, 'goes on after its last line');
    const row = cut ? undefined : parseRow(text);
    if (row === undefined) {
      footer = parseFooter(text);
      footerText = text;
      if (footer === undefined) throw fault(source.name, number, 'holds a line that is no row of a plan');
    } else if (row.Row !== ++rows) {
      throw fault(source.name, number, `holds row ${row.Row} where row ${rows} belongs`);
    } else counts['LeftOut' in row ? countedAs[row.LeftOut] : 'toChange']++;
  }
  if (header === undefined || footer === undefined) {
    const end = `it ends after row ${rows.toLocaleString('en')}, without its last line`;
    throw new InputFault(`The plan ${printable(source.name)} is cut short: ${end}. ${MEND}`);
  }
  // The last line may not vary either: it is what those counts and that digest are written as, or it was changed.
  const written = JSON.stringify({ Counts: footer.Counts, Digest: digest.value(footer.Counts) });
  const counted = countNames.every((name) => footer.Counts[name] === counts[name]);
  if (!counted || footerText !== written) {
    throw new InputFault(
      `The plan ${printable(source.name)} was changed after it was made: its digest does not fit. ${MEND}`,
    );
  }
  return { header, footer };
}

async function* readRows(source: Source, { Counts }: PlanFooter): AsyncGenerator<PlanLine, undefined> {
  const changed = (): EnqueueFailure =>
    new EnqueueFailure(`The plan ${printable(source.name)} changed while it was in use.`);
  if (await source.changed()) throw changed();
  const all = countNames.reduce((sum, name) => sum + Counts[name], 0);
  let rows = 0;
  for await (const { number, text } of readLines(source.chunks())) {
    if (number === 1) continue;
    if (rows === all) return;
    const row = parseRow(text);
    if (row?.Row !== ++rows) throw changed();
    yield row;
  }
}

const countNames = ['toChange', ...Object.values(countedAs)] as const;

const MEND = 'Make it anew with `ota-updater jobs plan`; nothing was sent.';

function readHeader(text: string, name: string): PlanHeader {
  const header = parseHeader(text);
  if (header !== undefined) return header;
  const version = planVersion(text);
  if (version !== undefined && version !== PLAN_FORM) {
    throw new InputFault(`${printable(name)} is a plan of another release (form ${version}). ${MEND}`);
  }
  throw new InputFault(
    `${printable(name)} is no plan: its first line is not a plan's. A plan is made by \`ota-updater jobs plan FILE\`.`,
  );
}

function fault(name: string, line: number, what: string): InputFault {
  return new InputFault(`The plan ${printable(name)} was changed: it ${what} (line ${line}). ${MEND}`);
}

/** The longest last line there can be, in bytes: a footer has about two hundred. */
const MAX_FOOTER_BYTES = 65_536;
const LF = 10;

/** The digest of all lines but the last and of the counts in that one, of bytes on their way to someone else. */
class PlanDigest {
  readonly #hash = createHash('sha256');
  readonly #name: string;
  /** The last line so far. */
  #held: Buffer = Buffer.alloc(0);

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
    const bytes = Buffer.concat([this.#held, chunk]);
    // The line feed at the very end is the last line's own.
    const start = bytes.subarray(0, -1).lastIndexOf(LF) + 1;
    this.#hash.update(bytes.subarray(0, start));
    this.#held = bytes.subarray(start);
    if (this.#held.length > MAX_FOOTER_BYTES) {
      throw new InputFault(`${printable(this.#name)} is no plan: it holds a line that is too long for one.`);
    }
  }
}
