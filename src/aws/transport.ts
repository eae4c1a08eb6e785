/** How requests to AWS leave this process: connections, and the proxy of the environment. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { PassedOver } from './credentials.ts';
import { proxyOf } from './proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options of the SDK's own request handler, on `node:http`, which also knows proxies. They limit connections alone: a call's
 * time limit is that of `OpenCalls`.
 * @param maxSockets connections to one host, at most.
 * @param env holds the variables of proxies.
 * @param connectionTimeout for the connection alone, in milliseconds; default none.
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

/** Options of an SDK client, with {@link connections}, and credentials that say why there are none. */
export function transport(maxSockets: number, env: Environment) {
  const requestHandler = connections(maxSockets, env);
  // The SDK asks STS through the handler of its client, but the sign-in services through one of its own.
  const proxied = proxyOf(env) !== undefined && { clientConfig: { requestHandler: connections(1, env) } };
  const passedOver = new PassedOver();
  const provide = (init: Parameters<typeof defaultProvider>[0]) =>
    defaultProvider({ ...init, ...proxied, logger: passedOver.logger });
  return { requestHandler, credentialDefaultProvider: Object.assign(provide, { passedOver }) };
}
