import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { refuseForeign } from '../../http/foreign-requests.ts';
import { CallLog, type SimulatedApiStats, type SimulatedCall } from './call-log.ts';
import { addControlRoutes } from './control-routes.ts';
import { REQUEST_ID, type Sleep } from './respond.ts';
import { addServiceRoutes, refuseRequest } from './routes.ts';
import type { ScriptedAnswer } from './scripts.ts';
import { Service } from './service.ts';
import type {
  SimulatedApiSettings,
  SimulatedApiSettingsInput,
  SimulatedApiSettingsPatch,
} from './settings.ts';
import type { SimulatedTask } from './tasks.ts';

export interface SimulatedApiOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** What it starts with; see {@link SimulatedApiSettings}. */
  readonly settings?: SimulatedApiSettingsInput;
  /** Whether to keep every call for `callsFor`; default false. */
  readonly record?: boolean;
  /** Bearer token that PUTs under `/_sandbox` require; default none. */
  readonly token?: string;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** Milliseconds since some start, for the limit: they never jump. Default `performance.now`. */
  readonly elapsed?: () => number;
  /** Uniform in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  /** Default: an unreferenced `setTimeout`. */
  readonly sleep?: Sleep;
}

/** A running simulated API. */
export interface SimulatedApi {
  /** Without a trailing slash: `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** The present settings. */
  readonly settings: SimulatedApiSettings;
  /**
   * Changes the settings from the next request on.
   * @throws InvalidSettingsError; then nothing is changed.
   */
  configure(patch: SimulatedApiSettingsPatch): void;
  /** One answer for each of the next UpdateOtaTask calls for `identifier`; replaces an earlier script. */
  script(identifier: string, answers: readonly ScriptedAnswer[]): void;
  /** The answer for every UpdateOtaTask call without a script of its own; null ends it. */
  scriptAll(answer: ScriptedAnswer | null): void;
  stats(): SimulatedApiStats;
  /** The task's present state; undefined if there is none. */
  task(identifier: string): SimulatedTask | undefined;
  /** The UpdateOtaTask calls for `identifier` in order of arrival; empty without the option `record`. */
  callsFor(identifier: string): readonly SimulatedCall[];
  /** Calls `listener` for each UpdateOtaTask call as it arrives. The returned function stops it. */
  onCall(listener: (call: SimulatedCall) => void): () => void;
  /** Resolves once `predicate` holds: checked now, and whenever a call is decided or ends. Rejects on close. */
  waitFor(predicate: () => boolean): Promise<void>;
  /** Closes all connections at once; can be called again. */
  close(): Promise<void>;
}

/**
 * Starts the simulated AWS IoT Managed Integrations API. A call is decided and its update applied when it arrives; latency
 * delays only the answer, so updates take effect in the order of arrival.
 */
export async function startSimulatedApi(options: SimulatedApiOptions = {}): Promise<SimulatedApi> {
  const now = options.now ?? Date.now;
  const elapsed = options.elapsed ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const callLog = new CallLog(options.record ?? false);
  const service = new Service(options.settings ?? {}, now, elapsed, random);
  const context = { service, callLog, now, sleep: options.sleep ?? unreferencedSleep };

  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    genReqId: requestIds(random),
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: (error, request, reply) => {
      reply.header(REQUEST_ID, request.id);
      refuseRequest(error, reply);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID, request.id);
    done();
  });
  app.setErrorHandler((error, _request, reply) => refuseRequest(error, reply));
  refuseForeign(app, 'none');
  addServiceRoutes(app, context);
  addControlRoutes(app, context, options.token ?? null);

  const host = options.host ?? '127.0.0.1';
  await app.listen({ host, port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  let closing: Promise<void> | null = null;

  return {
    url: `http://${reachable(host)}:${port}`,
    port,
    get settings() {
      return service.settings;
    },
    configure: (patch) => service.configure(patch),
    script: (identifier, answers) => service.scripts.set(identifier, answers),
    scriptAll: (answer) => service.scripts.setForAll(answer),
    stats: () => callLog.stats(),
    task: (identifier) => service.tasks.get(identifier),
    callsFor: (identifier) => callLog.callsFor(identifier),
    onCall: (listener) => callLog.onCall(listener),
    waitFor: (predicate) => callLog.waitFor(predicate),
    close: () => {
      callLog.close();
      closing ??= app.close();
      return closing;
    },
  };
}

/** An address that a client on this machine can call. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Ids in the form of a UUID: random per run, then counted. */
function requestIds(random: () => number): () => string {
  const run = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  let count = 0;
  return () => {
    count += 1;
    return `${run}-0000-4000-8000-${count.toString(16).padStart(12, '0')}`;
  };
}

function unreferencedSleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
