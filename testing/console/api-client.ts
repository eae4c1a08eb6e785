/**
 * A client generated from the document that a console serves; each answer is validated against the document's schemas.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { OpenAPIClientAxios } from 'openapi-client-axios';
import { expect } from 'vitest';
import { ask } from './serve.ts';

interface Reply {
  readonly status: number;
  readonly data: unknown;
}

export interface ApiClient {
  readonly call: (
    id: string,
    params?: Readonly<Record<string, unknown>>,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Reply>;
  /** Operations with such a path that were never called: each must be called, with status 200. */
  readonly undone: (belongs: (path: string) => boolean) => readonly string[];
}

/** @param token of the user who makes the requests. */
export async function makeApiClient(url: string, token: string): Promise<ApiClient> {
  const headers = { authorization: `Bearer ${token}` };
  const definition = JSON.parse((await ask(`${url}/api/v1/openapi.json`, { headers })).body);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(definition, 'document');
  const api = new OpenAPIClientAxios({
    definition,
    axiosConfigDefaults: { baseURL: url, headers, validateStatus: () => true },
  });
  const client = await api.init();
  const done = new Set<string>();
  return {
    call: async (id, params = {}, body, more = {}) => {
      const operation = client[id];
      const { path, method } = api.getOperation(id) ?? {};
      if (operation === undefined || path === undefined) throw new Error(`there is no operation ${id}`);
      const { status, data, headers: got } = await operation(params as never, body, { headers: more });
      const ok = status === 200;
      if (ok) done.add(id);
      const type = ok ? 'application/json' : 'application/problem+json';
      expect(String(got['content-type']), id).toContain(type);
      const at = [
        'paths',
        path,
        method ?? '',
        'responses',
        ok ? '200' : 'default',
        'content',
        type,
        'schema',
      ];
      const pointer = at
        .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
        .map(encodeURIComponent);
      const validate = ajv.compile({ $ref: `document#/${pointer.join('/')}` });
      validate(data);
      expect(validate.errors ?? [], `${id}: ${JSON.stringify(data)}`).toEqual([]);
      return { status, data };
    },
    undone: (belongs) =>
      api
        .getOperations()
        .filter(({ path, operationId = '' }) => belongs(path) && !done.has(operationId))
        .map(({ operationId = '' }) => operationId),
  };
}
