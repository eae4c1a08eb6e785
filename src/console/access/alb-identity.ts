/**
 * Identifies a user by what an Application Load Balancer signs: `x-amzn-oidc-data`, a JWT signed with the balancer's key. Its address
 * alone proves nothing, since others may be in the same network. What cannot be verified is not believed.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { errors, importSPKI, type JWTHeaderParameters, jwtVerify } from 'jose';
import { ALB_ARN } from '../../config/console.ts';
import { causeOf } from '../../errors.ts';
import type { Clock } from '../../time/clock.ts';
import { AwayError, Reach, type ReachOptions } from '../reach.ts';
import type { Refusal } from './refusal.ts';

/** Who the user is, and until when that holds; epoch milliseconds. */
export interface ProvenIdentity {
  readonly name: string;
  readonly until: number;
}

export interface AlbOptions extends Pick<ReachOptions, 'clock' | 'sleep'> {
  /** ARN of the load balancer. */
  readonly arn: string;
  /** Reads the text at an address; `undefined` if there is none. Rejects if the server is away. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string | undefined>;
}

const HEADER = 'x-amzn-oidc-data';
/** A load balancer changes its key from time to time. */
const MOST_KEYS = 20;
/** How far its clock and this machine's may differ, in seconds. */
const TOLERANCE = 30;
const KID = /^[A-Za-z0-9-]{1,64}$/;

/** For this long, in milliseconds, an id without a key is not asked for again; and how many such ids are remembered. */
const NO_KEY_MS = 60_000;
const MOST_MISSES = 1_000;

type Key = Awaited<ReturnType<typeof importSPKI>>;

class NoKey extends Error {}

export class AlbIdentity {
  readonly #arn: string;
  readonly #fetchText: AlbOptions['fetchText'];
  readonly #clock: Clock;
  readonly #keyServer: string;
  readonly #reach: Reach;
  readonly #keys = new Map<string, Key>();
  /** Ids without a key, and when that was found; monotonic milliseconds. */
  readonly #misses = new Map<string, number>();
  /** The read in progress: others wait for it. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor({ arn, fetchText, clock, sleep }: AlbOptions) {
    this.#arn = arn;
    this.#fetchText = fetchText;
    this.#clock = clock;
    this.#keyServer = keyServerOf(arn);
    this.#reach = new Reach({
      whyAway: (error) => (error instanceof KeyServerAway ? error.message : undefined),
      clock,
      sleep,
    });
  }

  close(): void {
    this.#reach.close();
  }

  /** undefined: the request has no such header. */
  async identify(headers: IncomingHttpHeaders): Promise<ProvenIdentity | Refusal | undefined> {
    const token = headers[HEADER];
    if (typeof token !== 'string') return undefined;
    const now = this.#clock.wall();
    try {
      const { payload, protectedHeader } = await jwtVerify(token, (header) => this.#keyOf(header), {
        algorithms: ['ES256'],
        currentDate: new Date(now),
        clockTolerance: TOLERANCE,
      });
      // A load balancer puts `exp` in the header.
      const exp = protectedHeader.exp ?? payload.exp;
      const until = typeof exp === 'number' ? (exp + TOLERANCE) * 1_000 : 0;
      if (until <= now) return refused('it has expired');
      const { sub } = payload;
      if (typeof sub !== 'string' || !/^\S.{0,199}$/.test(sub)) return refused('it names nobody (sub)');
      return { name: sub, until };
    } catch (error) {
      if (error instanceof AwayError)
        return {
          status: 503,
          why: `Who you are cannot be checked: the keys of the load balancer (${this.#keyServer}) ${error.message}.`,
        };
      if (error instanceof NoKey) return refused(error.message);
      if (error instanceof errors.JWTExpired) return refused('it has expired');
      if (error instanceof errors.JOSEError) return refused(error.message);
      throw error;
    }
  }

  async #keyOf({ kid, signer }: JWTHeaderParameters): Promise<Key> {
    if (signer !== this.#arn) throw new NoKey('another load balancer signed it (signer)');
    if (typeof kid !== 'string' || !KID.test(kid)) throw new NoKey('it names no key (kid)');
    const before = this.#reading;
    const known = this.#keys.get(kid) ?? this.#unlessMissed(kid);
    if (known !== undefined) return known;
    const read = before.then(() => this.#keys.get(kid) ?? this.#unlessMissed(kid) ?? this.#readKey(kid));
    this.#reading = read.catch(() => undefined);
    return await read;
  }

  /** @throws NoKey if the id is known to have no key. */
  #unlessMissed(kid: string): undefined {
    const at = this.#misses.get(kid);
    if (at !== undefined && this.#clock.monotonic() - at < NO_KEY_MS) throw noSuchKey();
  }

  #miss(kid: string): NoKey {
    this.#misses.delete(kid);
    this.#misses.set(kid, this.#clock.monotonic());
    const [oldest] = this.#misses.keys();
    if (this.#misses.size > MOST_MISSES && oldest !== undefined) this.#misses.delete(oldest);
    return noSuchKey();
  }

  async #readKey(kid: string): Promise<Key> {
    const url = `${this.#keyServer}/${kid}`;
    const text = await this.#reach.use(
      () => this.#read(url, AbortSignal.timeout(KEY_MS)),
      (signal) => this.#read(url, AbortSignal.any([signal, AbortSignal.timeout(KEY_MS)])),
    );
    if (text === undefined) throw this.#miss(kid);
    const key = await importSPKI(text, 'ES256').catch(() => {
      throw new NoKey('its key cannot be read');
    });
    this.#keys.set(kid, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MOST_KEYS && oldest !== undefined) this.#keys.delete(oldest);
    return key;
  }

  async #read(url: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#fetchText(url, signal);
    } catch (error) {
      throw new KeyServerAway(causeOf(error));
    }
  }
}

function noSuchKey(): NoKey {
  return new NoKey('there is no such key (kid)');
}

class KeyServerAway extends Error {}

/** Time to read one key, in milliseconds. */
const KEY_MS = 5_000;

function refused(why: string): Refusal {
  return { status: 403, why: `The load balancer's token is not accepted: ${why}.` };
}

/** The key server of the ARN's partition and region. */
function keyServerOf(arn: string): string {
  const [, partition, region = ''] = ALB_ARN.exec(arn) ?? [];
  if (partition === 'aws-us-gov')
    return `https://s3-${region}.amazonaws.com/aws-elb-public-keys-prod-${region}`;
  if (partition === 'aws-cn')
    return `https://s3.${region}.amazonaws.com.cn/aws-elb-public-keys-prod-${region}`;
  return `https://public-keys.auth.elb.${region}.amazonaws.com`;
}

const MOST_KEY = 10_000;

/** For {@link AlbOptions}. An S3 bucket answers 403 for an object that it does not have. */
export async function fetchKeyText(url: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await fetch(url, { signal, redirect: 'error' });
  const text = await answer.text();
  if (answer.status === 403 || answer.status === 404) return undefined;
  if (!answer.ok || text.length > MOST_KEY) throw new Error(`an answer of status ${answer.status}`);
  return text;
}
