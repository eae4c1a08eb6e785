/** A memory limit of Linux for a process that we start: a cgroup of version 1 or 2, where this machine lets us make one. */
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

  /** undefined where none can be made. */
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

  /** `command` and its arguments as they must be started, so that the process is in the cgroup from its first moment. */
  inside(command: string, args: readonly string[]): readonly [string, readonly string[]] {
    return [
      '/bin/sh',
      ['-c', 'echo $$ >"$0" && exec "$@"', `${this.#folder}/cgroup.procs`, command, ...args],
    ];
  }

  /** The most memory that it has used, page cache included, in MB; undefined where the kernel does not say. */
  get peakMb(): number | undefined {
    try {
      return Number(readFileSync(`${this.#folder}/${this.#peakFile}`, 'utf8')) / 1_048_576;
    } catch {
      return undefined;
    }
  }

  /** Once its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
