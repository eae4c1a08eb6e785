/** Distinguishes faults of credentials from faults of the request that needs them. */

import { NO_SOURCE } from './errors.ts';

/** A logger in the form that the SDK accepts. */
export interface Logger {
  debug(text: unknown): void;
  info(text: unknown): void;
  warn(text: unknown): void;
  error(text: unknown): void;
}

/** Without a logger the SDK's warnings go to stderr, as plain text among the log lines. */
export const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

interface Credentials {
  readonly accessKeyId?: unknown;
  readonly secretAccessKey?: unknown;
  readonly sessionToken?: unknown;
}

type Provider = (options?: never) => Promise<Credentials>;

/** No credentials were obtained, or none that a request can carry. Named as in the SDK. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsProviderError';
}

/** The parts of credentials, each with its source if no role provides them. */
const parts = [
  ['accessKeyId', 'AWS_ACCESS_KEY_ID'],
  ['secretAccessKey', 'AWS_SECRET_ACCESS_KEY'],
  ['sessionToken', 'AWS_SESSION_TOKEN'],
] as const;

interface GuardedConfig<P> {
  credentials: P;
  /** The one made by `transport` carries a {@link PassedOver}. */
  readonly credentialDefaultProvider?: unknown;
}

/**
 * Turns everything that obtaining credentials throws into an error of that name. Errors from STS and the other providers have
 * names that would otherwise look like an answer to the request: an `AccessDenied` of STS is no `AccessDenied` of the queue.
 * Credentials that no request can carry are refused here, with the name of their variable: in the request handler they would
 * look like a bug.
 */
export function guardCredentials<P extends Provider>(config: GuardedConfig<P>): void {
  const provider = config.credentials;
  let good: Credentials | undefined;
  const check = (credentials: Credentials): Credentials => {
    // The same object until they expire.
    if (credentials === good) return credentials;
    const fault = faultOf(credentials);
    if (fault !== undefined) throw new CredentialsError(fault);
    good = credentials;
    return credentials;
  };
  const refuse = (error: unknown): never => {
    const { passedOver } = (config.credentialDefaultProvider ?? {}) as { readonly passedOver?: PassedOver };
    throw asCredentialsError(error, passedOver?.reasons ?? []);
  };
  const guarded = (options?: never): Promise<Credentials> => provider(options).then(check, refuse);
  // The marks that the SDK sets on a prepared provider, so that it leaves this one unchanged.
  const prepared = { memoized: true, configBound: true, attributed: true };
  config.credentials = Object.assign(guarded, prepared) as unknown as P;
}

/** What the SDK logs when its chain of sources begins, and when it skips one of them. */
const CHAIN_BEGINS = /defaultProvider::fromEnv$|-> AWS_PROFILE is set/;
const PASSED_OVER = /^@smithy\/property-provider -> /;

/** What sources say that are not set up at all. */
const NOT_SET_UP = new RegExp(
  `^(${[
    'Unable to find environment variable credentials',
    'AWS_PROFILE is set, skipping',
    'Skipping SSO provider',
    'Profile \\S+ did not contain credential_process',
    'Profile default could not be found',
    'Could not resolve credentials using profile: \\[default\\]',
    'Web identity configuration not specified',
    'EC2 Instance Metadata Service access disabled',
    'AWS_EC2_METADATA_V1_DISABLED not set',
    NO_SOURCE,
  ].join('|')})`,
);

/**
 * Records why the SDK skipped its sources of credentials. The SDK goes on to the next one when a `credential_process` fails
 * or a role's profile is wrong, and ends with {@link NO_SOURCE}, whatever went wrong before.
 */
export class PassedOver {
  /** From the latest search for credentials, one line each. */
  reasons: readonly string[] = [];
  /** For the SDK's chain of sources. */
  readonly logger: Logger = { ...silent, debug: (text) => this.#note(text) };

  #note(text: unknown): void {
    if (typeof text !== 'string') return;
    if (CHAIN_BEGINS.test(text)) this.reasons = [];
    if (!PASSED_OVER.test(text)) return;
    const reason = withoutCommand(text.replace(PASSED_OVER, ''));
    if (!NOT_SET_UP.test(reason) && !this.reasons.includes(reason)) this.reasons = [...this.reasons, reason];
  }
}

/** The command may contain secrets; its stderr output is meant for people. */
function withoutCommand(reason: string): string {
  const [first = '', ...said] = reason.split('\n');
  if (!first.startsWith('Command failed: ')) return reason;
  return `credential_process failed: ${said.join(' ').trim() || 'it printed nothing on stderr'}`;
}

function asCredentialsError(error: unknown, reasons: readonly string[]): Error {
  if (!(error instanceof Error)) return new CredentialsError(String(error));
  if (error.message.startsWith(NO_SOURCE) && reasons.length > 0)
    return new CredentialsError(reasons.map((reason) => reason.replace(/\.$/, '')).join('; '));
  if (/^(Credentials|Token)ProviderError$/.test(error.name)) return error;
  return new CredentialsError(`${error.name}: ${error.message}`);
}

function faultOf(credentials: Credentials): string | undefined {
  for (const [part, variable] of parts) {
    const value = credentials[part];
    if (part === 'sessionToken' && value === undefined) continue;
    const source = `${variable}, or the profile's ${variable.toLowerCase()}`;
    if (typeof value !== 'string' || value === '') return `${source}, is empty`;
    // All of them are printable ASCII. A trailing line break comes from reading a whole file.
    if (!/^[!-~](?:[ -~]*[!-~])?$/.test(value))
      return `${source}, holds a line break, a space at its end or another character that no key has`;
  }
  return undefined;
}
