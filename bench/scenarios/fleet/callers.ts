/** The callers measured on each limiter: with real processes, and in virtual time. */
import { aimd50, cubic } from '../../../testing/rates/candidates.ts';
import { fixedController } from '../../../testing/rates/simulator.ts';
import { type Contender, controlled, otaUpdater, sdkAdaptive } from '../../harness/contenders.ts';
import { CEILING, type Kind, LIMIT, type Span } from './kinds.ts';
import { fleetOnRedis, fleetWithoutRedis, type Had, oneCaller } from './virtual.ts';

export interface Caller {
  readonly title: string;
  /** Whether it is ota-updater. */
  readonly ours: boolean;
  /** Several workers, started one after the other. */
  readonly isFleet: boolean;
  readonly redis: boolean;
  /** @param redisUrl given if `redis` is set. */
  readonly contender: (redisUrl: string) => Contender;
  readonly virtual: (kind: Kind, span: Span) => Had;
}

const worker = (env: Readonly<Record<string, string>> = {}): Contender =>
  otaUpdater({ RATE_LIMIT: String(CEILING), ...env });
const ours = { ours: true, isFleet: true, redis: false, contender: () => worker() };
const peer = { ours: false, isFleet: false, redis: false };

/** Pairs that are measured at the same time, each on its own emulator and API. */
export const pairs: readonly (readonly [Caller, Caller])[] = [
  [
    { ...ours, title: 'four workers', virtual: fleetWithoutRedis },
    {
      ...ours,
      title: 'four workers on Redis',
      redis: true,
      contender: (REDIS_URL) => worker({ REDIS_URL }),
      virtual: fleetOnRedis,
    },
  ],
  [
    { ...ours, title: 'one worker', isFleet: false, virtual: (kind, span) => oneCaller(kind, span) },
    {
      ...peer,
      title: 'AWS SDK, adaptive retry mode, 100 callers',
      contender: sdkAdaptive,
      // This caller has no ceiling.
      virtual: (kind, span) => oneCaller(kind, span, cubic, Number.POSITIVE_INFINITY),
    },
  ],
  [
    {
      ...peer,
      title: `always ${LIMIT}/s`,
      contender: () => controlled('fixed', LIMIT),
      virtual: (kind, span) => oneCaller(kind, span, { name: 'fixed', create: () => fixedController(LIMIT) }),
    },
    {
      ...peer,
      title: `AIMD, a 429 halves, ${CEILING}/s at most`,
      contender: () => controlled('aimd', CEILING),
      virtual: (kind, span) => oneCaller(kind, span, aimd50),
    },
  ],
];
