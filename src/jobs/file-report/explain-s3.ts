/** Explains to a person why S3 did not accept a report. PURE. */
import { awsErrorKind, explainNoCredentials, isConnectionCode } from '../../aws/errors.ts';
import { systemCode } from '../../aws/system-code.ts';
import { printable } from '../../text/printable.ts';
import { remoteName, remoteText } from '../../text/remote.ts';

/** One sentence, without its full stop, that says what failed and how to fix it. */
export function explainS3Error(error: unknown, place: string): string {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const text = printable(remoteText(message));
  const said = [printable(remoteName(name)), text].filter(Boolean).join(': ');
  const kind = awsErrorKind(name);
  if (kind === 'no-credentials') {
    const { what, fix } = explainNoCredentials(text);
    return fix === undefined ? what : `${what}: ${fix}`;
  }
  if (isConnectionCode(systemCode(error)) || kind === 'unreachable')
    return `S3 cannot be reached for ${place}: check the network, the proxy and the endpoint variables (${text || said})`;
  switch (name) {
    case 'NoSuchBucket':
      return `the bucket of ${place} does not exist: check its name and the account`;
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException':
      return `the bucket of ${place} is in another region: set AWS_REGION to it (${said})`;
    case 'ForeignAnswer':
      return `what answers for ${place} is not S3: check the endpoint variables and the network (${text})`;
  }
  if (/^KMS\.|\bkms:[A-Z]/.test(`${name} ${text}`))
    return `the credentials may not use the KMS key of the bucket: they need kms:GenerateDataKey and kms:Decrypt on it (${said})`;
  if (kind === 'denied' || (kind === undefined && $metadata?.httpStatusCode === 403))
    return `access to ${place} is denied: the credentials need s3:PutObject and s3:AbortMultipartUpload on it (${said})`;
  if (kind === 'credentials') return `AWS does not accept the credentials: renew them (${said})`;
  if (kind === 'throttled') return `S3 throttles requests: try again when there is less traffic (${said})`;
  return $metadata?.httpStatusCode === undefined
    ? `the request for ${place} failed in this process (${said})`
    : `S3 answered ${said}`;
}
