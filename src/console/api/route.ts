/** A route of the HTTP API as data: what is served, and what its document says, are made of the same. PURE. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Visitor } from '../access/visitor.ts';

export const API_PREFIX = '/api/v1';

export interface Asked<Query, Body> {
  /** The job of the path; '' where it names none. */
  readonly job: string;
  readonly query: Query;
  readonly body: Body;
  readonly visitor: Visitor;
  readonly request: FastifyRequest;
}

/** @template Query and Body as their schemas give them. */
export interface ApiRoute<Query = unknown, Body = unknown> {
  readonly method: 'get' | 'post';
  /** Behind {@link API_PREFIX}; with `{job}` where it is about one. */
  readonly path: string;
  /** Of the operation, for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly query?: z.ZodType<Query>;
  /** Sent as JSON; `file`: the body is a file, which the route reads itself. */
  readonly body?: z.ZodType<Body> | 'file';
  readonly answer: z.ZodType;
  /** Faults of the one who asks are thrown as PageError. */
  readonly serve: (asked: Asked<Query, Body>) => Promise<unknown>;
}

/** Keeps the types of a route's schemas for its `serve`. */
export function route<Query, Body>(one: ApiRoute<Query, Body>): ApiRoute {
  return one as ApiRoute;
}
