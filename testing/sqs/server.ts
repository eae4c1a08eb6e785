/** The SQS server of a stage: fauxqs, or another one for the same tests. */
import { startFauxqs } from 'fauxqs';
import { startSecondSqs } from './second-sqs.ts';
import type { SqsServer } from './sqs-server.ts';

export type SqsJudge = 'local-aws-sqs';

/** Listens on any free port of this machine. */
export async function startSqsServer(region: string, judge: SqsJudge | undefined): Promise<SqsServer> {
  if (judge === 'local-aws-sqs') return startSecondSqs(region);
  return startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: region });
}
