/**
 * AWS STS as a process with a web identity (IRSA on EKS) meets it: AssumeRoleWithWebIdentity is granted, or refused as it
 * is while the role's trust is not there yet.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `grant`: credentials. `hang`: no answer. Else an error. */
export type StsAnswer = 'grant' | 'hang' | StsError;

interface StsError {
  readonly status: number;
  readonly code: string;
}

/** What STS says while the role does not trust the identity, or not yet. */
export const stsDenied: StsAnswer = { status: 403, code: 'AccessDenied' };

export interface Sts {
  /** What it answers from now on. */
  answer: StsAnswer;
  /** Requests so far. */
  readonly requests: number;
  /**
   * The environment of a process that gets its credentials here and nowhere else.
   * @param tokenFile a file with anything in it: the identity's token.
   */
  env(tokenFile: string): Record<string, string | undefined>;
  close(): Promise<void>;
}

/** The access key id of the credentials that are granted. */
export const GRANTED_KEY = 'ASIAGRANTED';

export async function startSts(answer: StsAnswer): Promise<Sts> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    const { answer: now } = sts;
    if (now === 'hang') return;
    const [status, body] = now === 'grant' ? [200, grantXml] : [now.status, errorXml(now.code)];
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sts: Sts = {
    answer,
    get requests() {
      return requests;
    },
    env: (tokenFile) => ({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_REGION: 'eu-west-1',
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/worker',
      AWS_ROLE_SESSION_NAME: 'worker',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ENDPOINT_URL_STS: url,
    }),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return sts;
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

const errorXml = (code: string): string =>
  `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code>` +
  `<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>` +
  `<RequestId>sts-request</RequestId></ErrorResponse>`;

const grantXml =
  `<AssumeRoleWithWebIdentityResponse xmlns="${namespace}"><AssumeRoleWithWebIdentityResult><Credentials>` +
  `<AccessKeyId>${GRANTED_KEY}</AccessKeyId><SecretAccessKey>granted-secret</SecretAccessKey>` +
  `<SessionToken>granted-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>` +
  `</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
