/** Commands that make requests to AWS, with variables that the SDK could not use. */
import { expect, test } from 'vitest';
import { runInProcess } from '../../testing/stages/letters.ts';

const env = {
  QUEUE_URL: 'http://sqs.eu-west-1.amazonaws.com/1/updates',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/dead',
  OUTCOME_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/outcomes',
  AWS_DEFAULT_REGION: 'eu-west-1',
  AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'localhost:8080',
  STATE_DIR: '/nonexistent',
};
const faults = {
  queue: /^ {2}QUEUE_URL: must begin with https/m,
  aws: /^ {2}AWS_REGION: is required.*AWS_DEFAULT_REGION[\s\S]*^ {2}AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: must be a URL/m,
};

test.each([
  { args: ['enqueue', 'examples/updates.csv'], says: [faults.queue, faults.aws] },
  { args: ['dead-letters', 'list'], says: [faults.queue, faults.aws] },
  { args: ['dead-letters', 'redrive', '--all'], says: [faults.queue, faults.aws] },
  { args: ['jobs', 'resume', 'j'], says: [faults.queue, faults.aws] },
  { args: ['jobs', 'retry', 'j', '--only-failed'], says: [faults.queue, faults.aws] },
  { args: ['jobs', 'reconcile', 'j'], says: [faults.aws] },
  { args: ['jobs', 'undo', 'j'], says: [faults.aws] },
  { args: ['jobs', 'plan', '--from-tasks', '--set', 'Description=x'], says: [faults.aws] },
])('$args refuses them before it does anything, all in one message, exit code 2', async ({ args, says }) => {
  const { exitCode, stdout, stderr } = await runInProcess(args, { env });
  for (const sentence of says) expect(stderr).toMatch(sentence);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
});
