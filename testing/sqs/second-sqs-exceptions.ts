/** The end-to-end tests that do not run on `local-aws-sqs`, and why: what the tests or the server cannot show there. */

const CONTENTS = 'looks into queues from within the server, which tells the contents only of fauxqs';
const OWN = 'starts a server of its own';
const OTHER = 'is about something else than SQS, and costs time';

/** Files in test/e2e. */
export const filesOnFauxqsAlone: Readonly<Record<string, string>> = {
  bin: OTHER,
  'broken-pipe': OTHER,
  bundle: OTHER,
  'dead-letters-export': CONTENTS,
  'dead-letters-moves': OWN,
  'early-signals': OTHER,
  http: OTHER,
  'jobs-postgres': OTHER,
  'nameless-user': OTHER,
  'nothing-destroyed': CONTENTS,
  'npm-package': OTHER,
  'rate-remembered': OTHER,
  'swapped-queues': CONTENTS,
  'walk-throughs': OWN,
};

/** Parts of test titles, in files that otherwise run; without characters that are special in a regular expression. */
export const testsOnFauxqsAlone: Readonly<Record<string, string>> = {
  'to another client that has settled the message causes no second delete or dead letter': CONTENTS,
  'while waiting behind another of its Identifier leaves the one call to the next delivery': CONTENTS,
  'two deliveries of one message are never in flight at once': CONTENTS,
  'is complete when it fits': CONTENTS,
  'is not trusted': CONTENTS,
  'after a purge of the queue the held messages are dropped': 'a purge takes effect after 60 s',
  'an expiring message is found behind many others':
    'what was released is received first, before what waits behind it',
  'every update of a task, with its end, from ledger, letters, log and API':
    'one receive with a visibility of 0 s brings a message several times',
  'published to a topic that the queue is subscribed to': 'there is no SNS',
};
