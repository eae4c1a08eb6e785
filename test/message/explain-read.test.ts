import { expect, test } from 'vitest';
import { explainRead } from '../../src/message/explain-read.ts';

const failure = { kind: 'misconfigured', name: 'CredentialsProviderError' } as const;

test('why there are no credentials is said as it is for SQS, with the advice of the SDK', () => {
  const message = 'The SSO session has expired. To refresh it run aws sso login.';
  expect(explainRead('GetOtaTask', { ...failure, message })).toBe(
    `AWS credentials could not be obtained: ${message.slice(0, -1)}`,
  );
  expect(
    explainRead('ListOtaTasks', { ...failure, message: 'Could not load credentials from any providers' }),
  ).toMatch(/^no AWS credentials were found: set AWS_PROFILE, /);
});
