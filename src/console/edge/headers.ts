/**
 * What every answer of the console carries, whoever makes it: a route, a stream, Fastify itself, or Node where it refuses a request
 * that nobody else has seen. Headers are therefore set where an answer begins to exist, and not by hooks.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import helmet from '@fastify/helmet';
import { fastify } from 'fastify';

/** Nothing from elsewhere, nothing inline, and in nobody's frame. */
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
  // `no-referrer` would make the Origin of a form `null`.
  referrerPolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'deny' },
  // Whether a name has TLS is for the proxy before it to say.
  strictTransportSecurity: false,
} as const;

export type SecurityHeaders = readonly (readonly [name: string, value: string])[];

/** What helmet makes of the rules: taken from an answer of its own. */
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

/** Answers that have these headers from their beginning. */
export function responseWith(headers: SecurityHeaders): typeof ServerResponse {
  return class<Asked extends IncomingMessage = IncomingMessage> extends ServerResponse<Asked> {
    constructor(...args: ConstructorParameters<typeof ServerResponse<Asked>>) {
      super(...args);
      for (const [name, value] of headers) this.setHeader(name, value);
    }
  };
}
