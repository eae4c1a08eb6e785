/** A file that is put in its place complete or not at all. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createPrivate } from './private.ts';

/** Something else than a regular file: replacing a device, such as /dev/null, or a link would harm others. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
  readonly code = 'not a regular file';
}

/** Writes are synchronous. Every method throws the system's error, or NotAFileError for what is in the file's place. */
export class Replacement {
  readonly #path: string;
  /** Nobody else can have made it, or a link by its name. It is beside the file, so that a rename suffices. */
  readonly #part: string;
  #file: number | undefined;

  /** @param path where the file will be after `place()`; until then what is there stays as it is. */
  constructor(path: string) {
    this.#path = path;
    this.#part = `${path}.${randomBytes(6).toString('hex')}.part`;
    refuseIrregular(path);
  }

  /** Whether anything was written, and neither placed nor discarded. */
  get begun(): boolean {
    return this.#file !== undefined;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#file ??= createPrivate(this.#part);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  /** @param durable whether the disk must have all of it before the name is given, so that no power cut leaves a part. */
  place(durable = false): void {
    this.write('');
    if (this.#file === undefined) return;
    if (durable) fsyncSync(this.#file);
    refuseIrregular(this.#path);
    closeSync(this.#file);
    this.#file = undefined;
    renameSync(this.#part, this.#path);
  }

  /** Leaves nothing behind but what was there before; may be called at any time. */
  discard(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#part, { force: true });
  }
}

function refuseIrregular(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new NotAFileError(`${path} is not a regular file`);
}
