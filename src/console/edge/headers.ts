/**
 * The headers of every answer of the console, whoever creates it: a route, a stream, Fastify itself, or Node when it refuses a
 * request that no other code has seen. They are therefore set when the answer object is created, not by hooks.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import helmet from '@fastify/helmet';
import { fastify } from 'fastify';

/** Nothing from other sites, nothing inline, and no framing. */
const rules = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // `no-referrer` would set the Origin of forms to `null`.
  referrerPolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'deny' },
  // Whether a host name always has TLS is for the proxy to declare.
  strictTransportSecurity: false,
} as const;

export type SecurityHeaders = readonly (readonly [name: string, value: string])[];

/** The headers that helmet sets for the rules, read from a sample answer. */
export async function securityHeaders(): Promise<SecurityHeaders> {
  const app = fastify();
  const names: string[] = [];
  app.addHook('onSend', async (_request, reply) => void names.push(...reply.raw.getHeaderNames()));
  await app.register(helmet, rules);
  app.get('/', async () => '');
  const { headers } = await app.inject('/');
  await app.close();
  return names.map((name) => [name, String(headers[name])]);
}

/** A class of answers that have these headers from the start. */
export function responseWith(headers: SecurityHeaders): typeof ServerResponse {
  return class<Asked extends IncomingMessage = IncomingMessage> extends ServerResponse<Asked> {
    constructor(...args: ConstructorParameters<typeof ServerResponse<Asked>>) {
      super(...args);
      for (const [name, value] of headers) this.setHeader(name, value);
    }
  };
}
