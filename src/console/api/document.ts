/** The OpenAPI 3.1 document of the API, generated from its routes. PURE. */
import { z } from 'zod';
import { MOST_KEYS } from './idempotency.ts';
import { API_PREFIX, type ApiRoute, subjectOf, subjects } from './route.ts';

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

/** @param version the version of the program. */
export function apiDocument(routes: readonly ApiRoute[], version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of routes) {
    const path = `${API_PREFIX}${one.path}`;
    paths[path] = { ...paths[path], [one.method]: operation(one) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Console of ota-updater',
      version,
      description:
        'What the pages of the console show and do, for scripts. Every change needs the token of an operator and a reason.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of CONSOLE_TOKENS.' },
      },
      schemas: {
        Problem: {
          type: 'object',
          description: 'What went wrong (RFC 9457).',
          required: ['type', 'title', 'status', 'detail'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string', description: 'A sentence that says what to do.' },
          },
        },
      },
    },
  };
}

function operation({ id, summary, path, method, query, body, answer }: ApiRoute): Record<string, unknown> {
  const subject = subjectOf(path);
  const parameters = [
    ...(subject === undefined
      ? []
      : [{ name: subject, in: 'path', required: true, schema: schemaOf(subjects[subject], 'input') }]),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(method === 'post'
      ? [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            description: `The same request with the same key is carried out once: for a day, while the console runs, and among the last ${MOST_KEYS} keys of the same caller. Repeated after a 504, it does nothing twice: it waits for the outcome, or answers again that the outcome is not known.`,
            schema: { type: 'string', minLength: 1, maxLength: 200 },
          },
        ]
      : []),
  ];
  return {
    operationId: id,
    summary,
    parameters,
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content:
          body === 'file'
            ? {
                'text/csv': { schema: { type: 'string' } },
                'application/octet-stream': { schema: { type: 'string' } },
              }
            : { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      200: { description: 'Done', content: { 'application/json': { schema: schemaOf(answer, 'output') } } },
      default: {
        description: 'A problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function queryParameters(query: z.ZodType): readonly unknown[] {
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
