/** Runs the steps of a walk-through against a separate sandbox. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Child } from '../processes/child.ts';
import { otaProgram, startSandbox } from '../processes/ota.ts';
import { asWritten, type Step, type WalkThrough } from './document.ts';

const token = 'walk-through';

/** The surroundings of a step. */
export interface Scene {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface StepResult {
  /** stdout and stderr as a terminal shows them. */
  readonly output: string;
  readonly exitCode: number;
}

export type RunStep = (command: string, scene: Scene) => Promise<StepResult>;

/** Waits until nothing is left on the source queue. */
const drained = `#!/bin/sh
while curl -s -X POST "$AWS_ENDPOINT_URL_SQS" -H 'content-type: application/x-amz-json-1.0' \\
  -H 'x-amz-target: AmazonSQS.GetQueueAttributes' \\
  -d "{\\"QueueUrl\\":\\"$QUEUE_URL\\",\\"AttributeNames\\":[\\"All\\"]}" |
  grep -qE '"ApproximateNumberOfMessages(NotVisible|Delayed)?":"[1-9]'
do sleep 0.2; done
`;

/**
 * Runs all steps in order.
 * @param runStep runs one command; default: in a shell in which `ota-updater` is this checkout's.
 * @returns the output of every shown step, in the document's form.
 * @throws Error if a step that is not shown fails.
 */
export async function runWalkThrough(
  { sandbox, steps }: WalkThrough,
  runStep: RunStep = runInShell,
): Promise<{ readonly step: Step; readonly output: string }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'walk-through-'));
  const cloud = await startSandbox(sandbox, {
    cwd: folder,
    env: { ...process.env, SANDBOX_TOKEN: token, LOG_LEVEL: 'silent' },
  });
  try {
    await writeFile(join(folder, 'drained'), drained, { mode: 0o755 });
    await writeFile(
      join(folder, 'ota-updater'),
      `#!/bin/sh\nexec ${[process.execPath, ...otaProgram()].map((word) => `'${word}'`).join(' ')} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const scene = {
      folder,
      env: {
        ...cloud.env,
        SANDBOX_TOKEN: token,
        // The name of the wrapper in the folder: hints must not name this checkout.
        OTA_UPDATER_COMMAND: 'ota-updater',
        USER: 'mia',
        RATE_LIMIT: '20',
      },
    };
    const shown: { step: Step; output: string }[] = [];
    for (const step of steps) {
      const { output, exitCode } = await runStep(step.command, scene);
      if (step.output !== undefined) shown.push({ step, output: asWritten(output, exitCode) });
      else if (exitCode !== 0) throw new Error(`${step.command} ended with ${exitCode}:\n${output}`);
    }
    return shown;
  } finally {
    await cloud.child.end();
    await rm(folder, { recursive: true });
  }
}

/** One command in a shell, with its output in order. */
export async function runInShell(command: string, { folder, env }: Scene): Promise<StepResult> {
  const shell = Child.start('sh', ['-c', `exec 2>&1\n${command}`], {
    cwd: folder,
    env: {
      ...process.env,
      ...env,
      OTA_UPDATER_COMMAND: 'ota-updater',
      PATH: [folder, process.env.PATH].join(delimiter),
    },
    keepOutput: true,
  });
  const { code } = await shell.exited;
  return { output: shell.output.stdout, exitCode: code ?? 1 };
}
