/** A small world of an operator's files and messages, and what a command has changed in it. */
import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Created once and linked or copied into each folder, since creating it takes a process or a command. */
export interface Made {
  /** A FIFO and a device; undefined if this user may not create one. */
  readonly pipe?: string;
  readonly device?: string;
  /** A folder with a ledger in it. */
  readonly state: string;
  /** A plan, a report and an export as written by commands. */
  readonly plan: string;
  readonly report: string;
  readonly letters: string;
}

/** Files that a command with `--force` may replace, by the kind that it writes. */
export const replaceable = {
  plan: 'old.plan',
  report: 'old-report.csv',
} as const;

/** Files that `--force` must not mistake for replaceable ones: a link to one, and a file with the same first word. */
export const lookAlikes = [
  'link.plan',
  'old.refused.csv',
  'like-a-plan.jsonl',
  'like-a-report.csv',
  'like-a-report.json',
] as const;

const header = 'Identifier,Description\n';

/** Paths of existing files, in all possible ways. */
export const existing = [
  'rows.csv',
  'bad.csv',
  'rows.jsonl',
  'rows.csv.refused.csv',
  'notes.txt',
  'empty',
  'hard.csv',
  'link.csv',
  'link-out',
  'nowhere',
  'sub',
  'sub/inside.csv',
  'linked-folder/inside.csv',
  './sub/../rows.csv',
  'pipe',
  'device',
  'letters.jsonl',
  'hard.plan',
  ...lookAlikes,
  ...Object.values(replaceable),
] as const;

/** Paths where nothing exists. */
export const free = ['new', 'sub/new.csv', 'linked-folder/new.csv', 'no-folder/new'] as const;

/** State folders: one with a job, one whose ledger is the operator's own file, one that is a file. */
export const stateFolders = ['state', 'not-ours', 'notes.txt'] as const;

/** Inputs: never a pipe, since nobody writes into it. */
export const inputs = existing.filter((path) => path !== 'pipe');

/** A separate folder, removed by `remove`. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'world-'));
  readonly #before: ReadonlyMap<string, string>;

  constructor(made: Made) {
    const at = (name: string): string => join(this.folder, name);
    writeFileSync(at('rows.csv'), `${header}a1,x\nb2,y\n!,bad\n`);
    writeFileSync(at('bad.csv'), `${header}!,x\n`);
    writeFileSync(at('rows.jsonl'), '{"Identifier":"c3","Description":"x"}\n');
    writeFileSync(at('rows.csv.refused.csv'), 'line,reason,row\n4,bad,"corrected by the operator"\n');
    writeFileSync(at('notes.txt'), 'of the operator');
    writeFileSync(at('empty'), '');
    writeFileSync(at('old.refused.csv'), 'line,reason,row,Identifier,Description\n2,bad,"!,x",!,x\n');
    mkdirSync(at('sub'));
    writeFileSync(at('sub/inside.csv'), `${header}d4,x\n`);
    symlinkSync('sub', at('linked-folder'));
    symlinkSync('rows.csv', at('link.csv'));
    symlinkSync('notes.txt', at('link-out'));
    symlinkSync('away/nothing', at('nowhere'));
    linkSync(at('rows.csv'), at('hard.csv'));
    if (made.pipe !== undefined) linkSync(made.pipe, at('pipe'));
    if (made.device !== undefined) linkSync(made.device, at('device'));
    copyFileSync(made.plan, at(replaceable.plan));
    linkSync(at(replaceable.plan), at('hard.plan'));
    symlinkSync(replaceable.plan, at('link.plan'));
    copyFileSync(made.report, at(replaceable.report));
    writeFileSync(at('like-a-plan.jsonl'), '{"Plan":3,"Identifier":"e5","Description":"x"}\n');
    writeFileSync(at('like-a-report.csv'), 'Row,Identifier,Description\n1,e5,x\n');
    writeFileSync(at('like-a-report.json'), '[\n{"Row":1,"Identifier":"e5","Description":"x"}\n]\n');
    copyFileSync(made.letters, at('letters.jsonl'));
    mkdirSync(at('not-ours'));
    writeFileSync(at('not-ours/ledger.sqlite'), 'of the operator');
    mkdirSync(at('state'));
    for (const name of readdirSync(made.state)) copyFileSync(join(made.state, name), at(`state/${name}`));
    this.#before = this.#look();
  }

  /** Files of the operator that are gone or changed, and leftovers of writing. The state folder belongs to the program. */
  harm(): string[] {
    const now = this.#look();
    const changed = [...this.#before].filter(([name, was]) => now.get(name) !== was).map(([name]) => name);
    return [...changed, ...[...now.keys()].filter((name) => name.endsWith('.part'))];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Kind, inode, time of the last change and content of everything. */
  #look(): ReadonlyMap<string, string> {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    const entries = names.filter((name) => !name.startsWith('state'));
    return new Map(entries.map((name) => [name, describe(join(this.folder, name))]));
  }
}

function describe(path: string): string {
  const stat = lstatSync(path, { bigint: true });
  // Creating something in a folder changes the folder's time.
  if (stat.isDirectory()) return `${stat.ino}`;
  const content = stat.isFile()
    ? readFileSync(path, 'latin1')
    : stat.isSymbolicLink()
      ? readlinkSync(path)
      : '';
  return `${stat.mode} ${stat.ino} ${stat.mtimeNs} ${content}`;
}
