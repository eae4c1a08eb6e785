import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { addControlRoutes } from './control-routes.ts';
import type { Sleep } from './delivery.ts';
import { Ledger, type SimulatedApiStats, type SimulatedCall } from './ledger.ts';
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
  /** Keep every call for `callsFor`; default false. */
  readonly record?: boolean;
  /** Bearer token that the PUTs under `/_sandbox` want; default none. */
  readonly token?: string;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** Uniform in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  /** Default: an unreferenced `setTimeout`. */
  readonly sleep?: Sleep;
}

/** A running simulated API. */
export interface SimulatedApi {
  /** Without a trailing slash, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** The settings in force. */
  readonly settings: SimulatedApiSettings;
  /** Changes settings from the next request on. Throws an InvalidSettingsError, and changes nothing, if bad. */
  configure(patch: SimulatedApiSettingsPatch): void;
  /** The next UpdateOtaTask calls for `identifier` get these, one each; replaces an earlier script. */
  script(identifier: string, answers: readonly ScriptedAnswer[]): void;
  /** Every UpdateOtaTask call without a script of its own gets this, until null. */
  scriptAll(answer: ScriptedAnswer | null): void;
  stats(): SimulatedApiStats;
  /** The task as it is now, or undefined if there is none. */
  task(identifier: string): SimulatedTask | undefined;
  /** The UpdateOtaTask calls for `identifier` in order of arrival; empty without the option `record`. */
  callsFor(identifier: string): readonly SimulatedCall[];
  /** Listens to UpdateOtaTask calls as their answer is decided (on arrival); returns how to stop. */
  onCall(listener: (call: SimulatedCall) => void): () => void;
  /** Resolves once `predicate` holds: looked at now and whenever a call is decided or ends. Rejects on close. */
  waitFor(predicate: () => boolean): Promise<void>;
  /** Cuts all connections and ends at once; may be called again. */
  close(): Promise<void>;
}

/**
 * Starts the sandbox's stand-in for the AWS IoT Managed Integrations API. A call is decided, and its update
 * applied, when it arrives; latency delays only the answer, so updates take effect in the order of arrival.
 */
export async function startSimulatedApi(options: SimulatedApiOptions = {}): Promise<SimulatedApi> {
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  const ledger = new Ledger(options.record ?? false);
  const service = new Service(options.settings ?? {}, now, random);
  const context = { service, ledger, now, sleep: options.sleep ?? unreferencedSleep };

  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    genReqId: requestIds(random),
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: (error, request, reply) => {
      reply.header('x-amzn-requestid', request.id);
      refuseRequest(error, reply);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-amzn-requestid', request.id);
    done();
  });
  app.setErrorHandler((error, _request, reply) => refuseRequest(error, reply));
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
    stats: () => ledger.stats(),
    task: (identifier) => service.tasks.get(identifier),
    callsFor: (identifier) => ledger.callsFor(identifier),
    onCall: (listener) => ledger.onCall(listener),
    waitFor: (predicate) => ledger.waitFor(predicate),
    close: () => {
      ledger.close();
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

/** Ids in the form of a UUID: a random part for the run, a counter for the request. */
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
