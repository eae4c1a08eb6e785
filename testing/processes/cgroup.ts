/** A Linux memory limit for a process that we start: a cgroup of version 1 or 2, if this machine lets us create one. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';

export class MemoryCgroup {
  readonly #folder: string;
  readonly #peakFile: string;

  private constructor(folder: string, peakFile: string) {
    this.#folder = folder;
    this.#peakFile = peakFile;
  }

  /** undefined if none can be created. */
  static make(name: string, limitMb: number): MemoryCgroup | undefined {
    const v1 = existsSync(`${V1}/memory.limit_in_bytes`);
    const folder = `${v1 ? V1 : V2}/${name}`;
    try {
      mkdirSync(folder);
      writeFileSync(`${folder}/${v1 ? 'memory.limit_in_bytes' : 'memory.max'}`, String(limitMb * 1_048_576));
      return new MemoryCgroup(folder, v1 ? 'memory.max_usage_in_bytes' : 'memory.peak');
    } catch {
      return undefined;
    }
  }

  /** `command` and its arguments in a form that starts the process inside the cgroup. */
  inside(command: string, args: readonly string[]): readonly [string, readonly string[]] {
    return [
      '/bin/sh',
      ['-c', 'echo $$ >"$0" && exec "$@"', `${this.#folder}/cgroup.procs`, command, ...args],
    ];
  }

  /** Its peak memory, including page cache, in MB; undefined if the kernel does not report it. */
  get peakMb(): number | undefined {
    try {
      return Number(readFileSync(`${this.#folder}/${this.#peakFile}`, 'utf8')) / 1_048_576;
    } catch {
      return undefined;
    }
  }

  /** Call this when its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
