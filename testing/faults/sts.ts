/**
 * AWS STS as seen by a process with a web identity (IRSA on EKS): AssumeRoleWithWebIdentity is granted, or refused as it
 * is while the role's trust does not exist yet.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** `grant`: credentials. `hang`: no answer. Else an error. */
export type StsAnswer = 'grant' | 'hang' | StsError;

interface StsError {
  readonly status: number;
  readonly code: string;
}

/** The answer of STS while the role does not trust the identity (yet). */
export const stsDenied: StsAnswer = { status: 403, code: 'AccessDenied' };

export interface Sts {
  /** Its answer from now on; a function is called for each request. */
  answer: StsAnswer | (() => StsAnswer);
  /** Requests so far. */
  readonly requests: number;
  /**
   * The environment of a process that gets its credentials only here.
   * @param tokenFile a file with any content: the identity's token.
   * @param accessKeyId the key id of the credentials that it is granted.
   */
  env(tokenFile: string, accessKeyId?: string): Record<string, string | undefined>;
  close(): Promise<void>;
}

/** @param lifetimeMs lifetime of granted credentials. Clients ask for new ones when five minutes of it are left. */
export async function startSts(answer: Sts['answer'], lifetimeMs = 3_600_000): Promise<Sts> {
  let requests = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    const input = new URLSearchParams(await text(request));
    const now = typeof sts.answer === 'function' ? sts.answer() : sts.answer;
    if (now === 'hang') return;
    const expiresAt = new Date(Date.now() + lifetimeMs);
    const [status, body] =
      now === 'grant'
        ? [200, grantXml(input.get('RoleSessionName') ?? '', expiresAt)]
        : [now.status, errorXml(now.code)];
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sts: Sts = {
    answer,
    get requests() {
      return requests;
    },
    env: (tokenFile, accessKeyId = 'ASIAGRANTED') => ({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_REGION: 'eu-west-1',
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/worker',
      // The session's name, which is part of the request, becomes the key id.
      AWS_ROLE_SESSION_NAME: accessKeyId,
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

const grantXml = (accessKeyId: string, expiresAt: Date): string =>
  `<AssumeRoleWithWebIdentityResponse xmlns="${namespace}"><AssumeRoleWithWebIdentityResult><Credentials>` +
  `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>granted-secret</SecretAccessKey>` +
  `<SessionToken>granted-token</SessionToken><Expiration>${expiresAt.toISOString()}</Expiration></Credentials>` +
  `</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
