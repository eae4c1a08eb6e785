/** Serves the API's routes and its document. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsIn } from '../pages/faults.ts';
import { PageError } from '../pages/page-error.ts';
import type { Section } from '../section.ts';
import { onlyFields } from './asked-shapes.ts';
import { apiDocument } from './document.ts';
import { Idempotency } from './idempotency.ts';
import { API_PREFIX, type ApiRoute, subjectOf, subjects } from './route.ts';

const fileTypes = ['text/csv', 'application/octet-stream'];
const nothing = onlyFields({});
const DOCUMENT_PATH = `${API_PREFIX}/openapi.json`;

/** @param now epoch milliseconds. */
export function apiSection(routes: readonly ApiRoute[], version: string, now: () => number): Section {
  return {
    add: ({ app }) => {
      const idempotency = new Idempotency(now);
      const document = apiDocument(routes, version);
      app.addContentTypeParser(fileTypes, (_request, payload, done) => done(null, payload));
      app.get(DOCUMENT_PATH, (_request, reply) => reply.send(document));
      for (const one of routes)
        app.route({
          method: one.method.toUpperCase(),
          ...(one.body === 'file' && { config: { upload: true } }),
          url: `${API_PREFIX}${one.path.replace(/\{(\w+)\}/, ':$1')}`,
          onRequest: async ({ headers }) => requireType(one, headers['content-type']),
          handler: async (request, reply) => {
            reply.header('cache-control', 'no-store');
            const asked = read(one, request);
            if (one.method === 'get') return await one.serve(asked);
            const { subject, query, visitor } = asked;
            const takenIn =
              asked.body instanceof Readable ? finished(asked.body, { writable: false }) : undefined;
            // The reader of the file sees errors.
            takenIn?.catch(() => {});
            const key = request.headers['idempotency-key'];
            const served = idempotency.once(
              visitor.name,
              typeof key === 'string' ? key : undefined,
              [one.id, subject, query],
              asked.body,
              (body) => one.serve({ ...asked, body }),
            );
            return await (one.wait?.(served, { subject, takenIn }) ?? served);
          },
        });
    },
  };
}

/** Allowed content types of bodies, and of bodies that are files. */
const types = { fields: ['application/json'], file: fileTypes };

/** @throws PageError for a body of another type, before it is read. */
function requireType({ body }: ApiRoute, given: string | undefined): void {
  if (body === undefined || given === undefined) return;
  const wanted = types[body === 'file' ? 'file' : 'fields'];
  const [type = '', ...parameters] = given.toLowerCase().split(';');
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='));
  // Bodies are read as UTF-8; other encodings would be misread.
  const isUtf8 = charset === undefined || /^charset="?(utf-?8|us-ascii)"?$/.test(charset);
  if (wanted.includes(type.trim()) && isUtf8) return;
  const sent = body === 'file' ? 'the file' : 'the body as JSON';
  throw new PageError(`Send ${sent} in UTF-8, with Content-Type: ${wanted.join(' or ')}.`, 415);
}

function read(one: ApiRoute, request: FastifyRequest) {
  const { visitor } = request;
  if (visitor === undefined) throw new Error('a guarded route has no visitor');
  const name = subjectOf(one.path);
  return {
    subject:
      name === undefined
        ? ''
        : given(subjects[name], z.record(z.string(), z.unknown()).parse(request.params)[name], name),
    query: given(one.query ?? nothing, request.query),
    body: one.body === undefined || one.body === 'file' ? request.body : given(one.body, request.body ?? {}),
    visitor,
    request,
  };
}

/** @param name the name of the value if it is not an object with named fields. */
function given<T>(schema: z.ZodType<T>, value: unknown, name?: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new PageError(faultsIn(result.error, name));
}
