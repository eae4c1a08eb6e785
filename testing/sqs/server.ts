/** The SQS server of a stage: fauxqs, or another server for the same tests. */
import { startFauxqs } from 'fauxqs';
import { startSecondSqs } from './second-sqs.ts';
import type { SqsServer } from './sqs-server.ts';

const judges = ['fauxqs', 'local-aws-sqs'] as const;
export type SqsJudge = (typeof judges)[number];

/**
 * The server of stages that do not name one: `SQS_JUDGE` (CI runs the end-to-end tests again with `local-aws-sqs`), or fauxqs.
 */
function judgeOfRun(): SqsJudge {
  const named = process.env.SQS_JUDGE ?? 'fauxqs';
  const judge = judges.find((known) => known === named);
  if (judge === undefined) throw new Error(`SQS_JUDGE: must be one of ${judges.join(', ')}, is ${named}`);
  return judge;
}

/** Listens on any free port of this machine. */
export async function startSqsServer(region: string, judge: SqsJudge = judgeOfRun()): Promise<SqsServer> {
  if (judge === 'local-aws-sqs') return startSecondSqs(region);
  return startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: region });
}
