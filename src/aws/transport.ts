/** How requests to AWS leave this process: connections, and the proxy of the environment. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
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

/** Options of an SDK client, with {@link connections}. */
export function transport(maxSockets: number, env: Environment) {
  const requestHandler = connections(maxSockets, env);
  if (proxyOf(env) === undefined) return { requestHandler };
  return {
    requestHandler,
    // The SDK asks STS through the handler of its client, but the sign-in services through one of its own.
    credentialDefaultProvider: (init: Parameters<typeof defaultProvider>[0]) =>
      defaultProvider({ ...init, clientConfig: { requestHandler: connections(1, env) } }),
  };
}
