/** squiss-ts: one poller, a hundred messages in flight. */
import { type Message, SQS, Squiss } from 'squiss-ts';
import { createCall, IN_FLIGHT, queueUrl } from './call.ts';

const call = createCall();
const squiss = new Squiss({
  SQS: new SQS({}),
  queueUrl: queueUrl(),
  bodyFormat: 'plain',
  maxInFlight: IN_FLIGHT,
  receiveWaitTimeSecs: 20,
});
squiss.on('message', (message: Message) => {
  call(message.raw.Body).then(
    () => message.del(),
    () => message.release(),
  );
});
squiss.on('error', (error) => process.stderr.write(`squiss: ${error.message}\n`));
await squiss.start();
