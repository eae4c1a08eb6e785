/** Errors for a process that has lost the right to send a job. */
import { CommandError } from '../../errors.ts';

/** Another process sends the job now. */
export class LeaseLost extends CommandError {
  override readonly name: string = 'LeaseLost';

  constructor(
    message = 'Another process is sending the job now: this one could not renew its lease on it in time. Nothing is lost, and no row is sent by both at once.',
  ) {
    super(message);
  }
}

/** Another ledger sends the job now. */
export class JobMoved extends LeaseLost {
  override readonly name = 'JobMoved';

  constructor(jobId: string) {
    super(`Job ${jobId} was moved to another ledger meanwhile: nothing more of it was changed here.`);
  }
}
