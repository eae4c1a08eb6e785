/** A route of the HTTP API as data: both the served route and its documentation are made from it. PURE. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Visitor } from '../access/visitor.ts';

export const API_PREFIX = '/api/v1';

/** The parameters that paths may have. */
export const subjects = {
  job: z.string().min(1).max(128),
  group: z.string().regex(/^[0-9a-f]{8}$/, 'must be the eight characters of a cause, digits and a to f'),
  letter: z.string().min(1).max(128),
  change: z.uuid('must be a UUID, from the answer that began the change'),
} as const;

/** The parameter in a route's path; undefined if there is none. */
export function subjectOf(path: string): keyof typeof subjects | undefined {
  return (Object.keys(subjects) as (keyof typeof subjects)[]).find((name) => path.includes(`{${name}}`));
}

export interface Asked<Query, Body> {
  /** The value of the path's parameter: a job, a cause, a letter, a change; '' without one. */
  readonly subject: string;
  readonly query: Query;
  readonly body: Body;
  readonly visitor: Visitor;
  readonly request: FastifyRequest;
}

/** Refuses unknown fields, as made by `onlyFields`. */
type Only = z.ZodObject<z.ZodRawShape, z.core.$strict>;

/** @template Query and Body in the types of their schemas. */
export interface ApiRoute<Query = unknown, Body = unknown> {
  readonly method: 'get' | 'post';
  /** The path after {@link API_PREFIX}; with one of {@link subjects}, such as `{job}`, if the route is about one. */
  readonly path: string;
  /** Operation id, for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly query?: Only & z.ZodType<Query>;
  /** Sent as JSON; `file`: the body is a file, which the route reads itself. */
  readonly body?: (Only & z.ZodType<Body>) | 'file';
  readonly answer: z.ZodType;
  /** Waits for `serve`, and may stop waiting: the work then continues, and a repeat with the same key waits for it. */
  readonly wait?: (
    served: Promise<unknown>,
    /** `takenIn`: settles when the file in the body was received, or receiving it failed. */
    asked: { readonly subject: string; readonly takenIn: Promise<unknown> | undefined },
  ) => Promise<unknown>;
  /** Throws PageError for faults of the sender. */
  readonly serve: (asked: Asked<Query, Body>) => Promise<unknown>;
}

/** Preserves the types of a route's schemas for its `serve`. */
export function route<Query, Body>(one: ApiRoute<Query, Body>): ApiRoute {
  return one as ApiRoute;
}
