/** The Docker engine of this machine: its API on its socket, and the command line for what a user would type. */
import { execFile, execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { z } from 'zod';

const health = z.object({
  Health: z.object({ Log: z.array(z.object({ End: z.string(), ExitCode: z.number() })).nullable() }),
});
const inspected = z.object({ Id: z.string(), State: health });
const stats = z.object({
  read: z.string(),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({ usage: z.number(), stats: z.record(z.string(), z.number()) }),
});
const image = z.object({ Id: z.string(), Size: z.number() });

export interface Usage {
  /** CPU time of all processes that were in the container, including health checks, in milliseconds. */
  readonly cpuMs: number;
  /** When it was measured, in epoch milliseconds. */
  readonly at: number;
  /** As `docker stats` shows it: without the page cache that the kernel may drop. */
  readonly memoryMb: number;
}

export interface Checks {
  /** When the last health check ended, in the engine's format; undefined before the first. */
  readonly last: string | undefined;
  readonly allPassed: boolean;
}

/** Why no engine can be asked; undefined if one can. */
export function engineAway(): string | undefined {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no Docker engine is at hand';
  }
}

/** @throws Error for a missing image. */
export async function imageOf(name: string): Promise<{ readonly id: string; readonly mb: number }> {
  const { Id, Size } = image.parse(await ask(`/images/${encodeURIComponent(name)}/json`));
  return { id: Id.replace('sha256:', '').slice(0, 12), mb: Size / 1e6 };
}

export async function usageOf(container: string): Promise<Usage> {
  const { read, cpu_stats, memory_stats } = stats.parse(
    await ask(`/containers/${container}/stats?stream=false&one-shot=true`),
  );
  const { usage, stats: parts } = memory_stats;
  // The same value under the names of cgroup versions 1 and 2.
  const forgettable = parts.total_inactive_file ?? parts.inactive_file ?? 0;
  return {
    cpuMs: cpu_stats.cpu_usage.total_usage / 1e6,
    at: Date.parse(read),
    memoryMb: (usage - forgettable) / 2 ** 20,
  };
}

export async function checksOf(container: string): Promise<Checks> {
  const { State } = inspected.parse(await ask(`/containers/${container}/json`));
  const log = State.Health.Log ?? [];
  return { last: log.at(-1)?.End, allPassed: log.every(({ ExitCode }) => ExitCode === 0) };
}

/** Removes a container, running or not. */
export async function removeContainer(container: string): Promise<void> {
  await promisify(execFile)('docker', ['rm', '--force', container]);
}

async function ask(path: string): Promise<unknown> {
  const socketPath = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock';
  return await new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      json(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer);
        else
          reject(
            new Error(`the engine answers ${response.statusCode} to ${path}: ${JSON.stringify(answer)}`),
          );
      }, reject);
    })
      .on('error', reject)
      .end();
  });
}
