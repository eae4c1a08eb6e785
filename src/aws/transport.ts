/** How requests to AWS leave this process: connections, and the proxy set in the environment. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { PassedOver } from './credentials.ts';
import { proxyOf } from './proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options of the SDK's own request handler, on `node:http`, which also supports proxies. They limit only connections: a
 * call's time limit is set by `OpenCalls`.
 * @param maxSockets the most connections to one host.
 * @param env holds the proxy variables.
 * @param connectionTimeout for the connection alone, in milliseconds. Default: none.
 */
export function connections(maxSockets: number, env: Environment, connectionTimeout?: number) {
  const proxyEnv = proxyOf(env);
  const agent = { maxSockets, keepAlive: true, ...(proxyEnv !== undefined && { proxyEnv }) };
  return {
    httpAgent: agent,
    httpsAgent: agent,
    ...(connectionTimeout !== undefined && { connectionTimeout }),
  };
}

/** Options of an SDK client, with {@link connections}, and credentials that report why there are none. */
export function transport(maxSockets: number, env: Environment) {
  const requestHandler = connections(maxSockets, env);
  // The SDK calls STS through its client's handler, but the sign-in services through a separate one.
  const proxied = proxyOf(env) !== undefined && { clientConfig: { requestHandler: connections(1, env) } };
  const passedOver = new PassedOver();
  const provide = (init: Parameters<typeof defaultProvider>[0]) =>
    defaultProvider({ ...init, ...proxied, logger: passedOver.logger });
  return { requestHandler, credentialDefaultProvider: Object.assign(provide, { passedOver }) };
}
