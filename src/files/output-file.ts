/** A file that a command writes for its user: complete or not at all, and never in place of a file of another origin. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { CommandError, causeOf, errorCode, misuse } from '../errors.ts';
import { shortPrintable } from '../text/printable.ts';
import { beginningOf, type FileIdentity, kindOf, sameContent, sameFile } from './inspect.ts';
import { createPrivate } from './private.ts';

/** What a command writes, and how error messages name it. */
export interface OutputKind {
  /** Begins a sentence: `The plan`. */
  readonly title: string;
  /** The flag that names the file. */
  readonly flag: string;
  /** What `--force` may replace; undefined if files of this kind are never replaced, because the user may have edited them. */
  readonly replaces?: {
    /** `a plan`. */
    readonly noun: string;
    /** Whether a file with this beginning, at most 4,096 characters, is one that this program wrote as this kind. */
    readonly isOurs: (beginning: string) => boolean;
  };
}

export interface OutputFileOptions {
  /** The base folder of relative paths. */
  readonly cwd: string;
  /** Whether `--force` was given; undefined if the command has no such flag. */
  readonly force?: boolean | undefined;
  /** Files that the command reads: they are never replaced. */
  readonly inputs?: readonly (FileIdentity | undefined)[];
  /**
   * A name that is taken gets the next free number (`name-2.csv`), unless a file with the same content already exists, which is
   * then used: `always`, or only if the name was taken `meanwhile`, so that nothing is lost at the end. Default: refused.
   */
  readonly numbered?: 'always' | 'meanwhile';
}

/**
 * Nothing is at the path until `place()` links the finished file to it; a file that exists by then stays. With
 * `--force` it replaces a regular file that was there from the start, begins like one of this program's, and was not changed
 * meanwhile. It never replaces an input, a link, a folder or a device. Writes are synchronous. Every method throws
 * CommandError, a sentence that says what to do.
 */
export class OutputFile {
  readonly #kind: OutputKind;
  readonly #name: string;
  readonly #path: string;
  readonly #options: OutputFileOptions;
  /** Nobody else can have created this file, or a link of its name. It is in the same folder, so that a link suffices. */
  readonly #part: string;
  /** What was at the path at the start, to be replaced. */
  readonly #former: BigIntStats | undefined;
  #file: number | undefined;

  /** @param name the user's name for the file. @throws CommandError if it cannot or must not be written. */
  constructor(kind: OutputKind, name: string, options: OutputFileOptions) {
    this.#kind = kind;
    this.#name = name;
    this.#options = options;
    this.#path = resolve(options.cwd, name);
    this.#part = `${this.#path}.${randomBytes(6).toString('hex')}.part`;
    if (options.numbered === 'always') return;
    this.#attempt(() => accessSync(dirname(this.#path), constants.W_OK | constants.X_OK));
    this.#former = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (this.#former !== undefined) this.#checkReplaceable(this.#former);
  }

  /** Whether anything was written but neither placed nor discarded. */
  get begun(): boolean {
    return this.#file !== undefined;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#attempt(() => {
      this.#file ??= createPrivate(this.#part);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }

  /**
   * Puts the file in its place, even an empty one.
   * @param durable whether the disk must have all of it before the name is given, so that a power cut leaves no partial file.
   * @returns the user's name for it, including a number.
   */
  place(durable = false): string {
    this.write('');
    try {
      return this.#attempt(() => {
        if (durable && this.#file !== undefined) fsyncSync(this.#file);
        return this.#former === undefined ? this.#putInFreePlace() : this.#replace(this.#former);
      });
    } finally {
      this.discard();
    }
  }

  /**
   * Leaves nothing at the path, not even what `place()` would have replaced.
   * @returns whether something was removed.
   */
  clear(): boolean {
    this.discard();
    const former = this.#former;
    if (former === undefined) return false;
    this.#attempt(() => {
      if (this.#findFormer(former)) rmSync(this.#path);
    });
    return true;
  }

  /** Leaves only what was there before, or was placed; may be called at any time. */
  discard(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#part, { force: true });
  }

  #putInFreePlace(): string {
    for (let number = 1; ; number++) {
      const name = numbered(this.#name, number);
      const path = resolve(this.#options.cwd, name);
      if (linkNew(this.#part, path)) return name;
      if (this.#options.numbered === undefined) throw this.#taken();
      if (sameContent(this.#part, path)) return name;
    }
  }

  #replace(former: BigIntStats): string {
    if (!this.#findFormer(former)) return this.#putInFreePlace();
    renameSync(this.#part, this.#path);
    return this.#name;
  }

  /** @returns whether it still exists. @throws CommandError if it has changed. */
  #findFormer(former: BigIntStats): boolean {
    const now = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (now === undefined) return false;
    if (!sameFile(now, former) || now.size !== former.size || now.mtimeNs !== former.mtimeNs)
      throw this.#refusal('somebody wrote to it in the meantime, and it stays as it is');
    return true;
  }

  /** @throws CommandError unless it is a file of this program that may be replaced. */
  #checkReplaceable(there: BigIntStats): void {
    const { replaces } = this.#kind;
    const { force, inputs = [] } = this.#options;
    if (!there.isFile()) throw this.#refusal(`it is ${kindOf(there)}, and only a file may be replaced`);
    if (inputs.some((input) => input !== undefined && sameFile(input, there)))
      throw this.#refusal('this command reads that file');
    if (force !== true || replaces === undefined) throw this.#taken();
    if (!replaces.isOurs(beginningOf(this.#path)))
      throw this.#refusal(
        `--force replaces only ${replaces.noun} that ota-updater wrote, and that file is not one`,
      );
  }

  #taken(): CommandError {
    const replaceable = this.#options.force === false && this.#kind.replaces !== undefined;
    const force = replaceable ? ', or use --force to replace it' : '';
    return misuse(
      `${this.#shown} already exists. Name a file that does not exist yet with ${this.#kind.flag}${force}.`,
    );
  }

  #refusal(why: string): CommandError {
    const { title, flag } = this.#kind;
    return misuse(
      `${title} is not written to ${this.#shown}: ${why}. Name a file that does not exist yet with ${flag}.`,
    );
  }

  get #shown(): string {
    return shortPrintable(this.#name, 300);
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof CommandError) throw error;
      const what = `${this.#kind.title} cannot be written to ${this.#shown}`;
      if (errorCode(error) !== 'ENOENT') throw new CommandError(`${what}: ${causeOf(error)}.`);
      throw misuse(`${what}: there is no folder ${shortPrintable(dirname(this.#path), 300)}.`);
    }
  }
}

/** `rows.csv`, `rows-2.csv`. */
function numbered(name: string, number: number): string {
  if (number === 1) return name;
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${number}${extension}`;
}

/** Gives a file another name. @returns false if that name is taken. */
function linkNew(file: string, path: string): boolean {
  try {
    linkSync(file, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
  }
  // Not every file system has hard links.
  try {
    copyFileSync(file, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
