/** The facts that the rules judge. A failure is a fact too. PURE. */
import type { ProxySettings } from '../aws/proxy.ts';
import type { Config } from '../config.ts';
import type { LedgerFacts } from '../jobs/ledger/open.ts';
import type { Failure } from '../message/failure.ts';
import type { ApiEndpoint } from '../ota/probe.ts';
import type { RedisAnswer } from '../ota/redis-probe.ts';
import type { SqsErrorKind } from '../queue/errors.ts';
import type { QueueAttributes } from '../queue/types.ts';

/** The parts of an error that findings need. */
export interface ReadError {
  /** The error's name; for AWS's errors this is their code. */
  readonly name: string;
  /** One line, without secrets. */
  readonly message: string;
  readonly kind: SqsErrorKind;
  /** The system's own code. */
  readonly code?: string | undefined;
  /** Whether there was an answer. */
  readonly answered: boolean;
}

/** The answer to a question, or why there is none. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ReadError };

export type QueueRole = 'source' | 'dead-letter' | 'outcome';

export interface QueueFacts {
  readonly role: QueueRole;
  readonly url: string;
  /** undefined: not asked, because region or credentials are missing. */
  readonly attributes: Answer<QueueAttributes> | undefined;
}

interface ApiFacts extends ApiEndpoint {
  /** An address of the endpoint's host. */
  readonly address: Answer<string>;
  /** How one signed read was answered. `not-asked`: there are no credentials, or the address is invalid. */
  readonly read: 'allowed' | 'not-asked' | Failure;
}

/** The settings that the findings judge. */
type CheckedSettings = Pick<Config, 'shutdownGraceSeconds' | 'visibilityTimeoutSeconds' | 'callTimeoutMs'>;

interface RedisState extends Pick<RedisAnswer, 'replica'> {
  /** How far this machine's clock is ahead of Redis's, in milliseconds. */
  readonly skewMs: number;
}

interface RedisFacts {
  readonly tls: boolean;
  readonly password: boolean;
  /** Whether its host name means this machine. */
  readonly loopback: boolean;
  readonly answer:
    | { readonly ok: true; readonly value: RedisState }
    /** A phrase, without secrets. */
    | { readonly ok: false; readonly fault: string };
}

/** Where jobs and the dead-letter commands store data on this machine. Faults are phrases. */
export interface StateFacts {
  readonly path: string;
  /** Why nothing can be stored there; undefined: it can. */
  readonly fault: string | undefined;
  /** The ledger of jobs, if there is one. */
  readonly ledger: LedgerFacts | undefined;
}

/** Everything the findings are made from. Holds no secrets. */
export interface CheckFacts {
  readonly settings: CheckedSettings;
  readonly region: Answer<string>;
  readonly credentials: Answer<CredentialFacts>;
  readonly queues: readonly QueueFacts[];
  /** Whether an SQS endpoint is configured, so that the URLs of the queues do not determine the host. */
  readonly endpointSet: boolean;
  /** Positive when the local clock is ahead; undefined when no answer carried a time. */
  readonly clockSkewMs: number | undefined;
  /** undefined: its region is unknown. */
  readonly api: ApiFacts | undefined;
  /** undefined: there is none. */
  readonly redis: RedisFacts | undefined;
  /** undefined: none is set. */
  readonly proxy: ProxySettings | undefined;
  readonly state: StateFacts;
}

interface CredentialFacts {
  /** The last four characters of the access key id. */
  readonly accessKey: string;
  /** How long the credentials are still valid, in milliseconds; undefined if they do not say. */
  readonly leftMs: number | undefined;
}
