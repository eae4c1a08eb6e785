/** Faults of credentials, told apart from faults of the request that needs them. */

interface Credentials {
  readonly accessKeyId?: unknown;
  readonly secretAccessKey?: unknown;
  readonly sessionToken?: unknown;
}

type Provider = (options?: never) => Promise<Credentials>;

/** No credentials were obtained, or none that a request can carry; named as the SDK names it. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsProviderError';
}

/** The parts of credentials, with where they come from where no role gives them. */
const parts = [
  ['accessKeyId', 'AWS_ACCESS_KEY_ID'],
  ['secretAccessKey', 'AWS_SECRET_ACCESS_KEY'],
  ['sessionToken', 'AWS_SESSION_TOKEN'],
] as const;

/**
 * Makes everything that obtaining credentials throws an error of that name. STS and the other providers have names that
 * would otherwise be taken for an answer to the request: an `AccessDenied` of STS is no `AccessDenied` of the queue.
 * Credentials that no request can carry are refused here, with the name of their variable: in the request handler they
 * would look like a bug.
 */
export function guardCredentials<P extends Provider>(config: { credentials: P }): void {
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
    throw asCredentialsError(error);
  };
  const guarded = (options?: never): Promise<Credentials> => provider(options).then(check, refuse);
  // What the SDK sets on a provider that it has prepared, so that it prepares this one no further.
  const prepared = { memoized: true, configBound: true, attributed: true };
  config.credentials = Object.assign(guarded, prepared) as unknown as P;
}

function asCredentialsError(error: unknown): Error {
  if (!(error instanceof Error)) return new CredentialsError(String(error));
  if (/^(Credentials|Token)ProviderError$/.test(error.name)) return error;
  return new CredentialsError(`${error.name}: ${error.message}`);
}

function faultOf(credentials: Credentials): string | undefined {
  for (const [part, variable] of parts) {
    const value = credentials[part];
    if (part === 'sessionToken' && value === undefined) continue;
    const source = `${variable}, or the profile's ${variable.toLowerCase()}`;
    if (typeof value !== 'string' || value === '') return `${source}, is empty`;
    // All of them are printable ASCII; a line break at the end comes from a file read whole.
    if (!/^[!-~](?:[ -~]*[!-~])?$/.test(value))
      return `${source}, holds a line break, a space at its end or another character that no key has`;
  }
  return undefined;
}
