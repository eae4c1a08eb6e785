/** A route of the HTTP API as data: what is served, and what its document says, are made of the same. PURE. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Visitor } from '../access/visitor.ts';

export const API_PREFIX = '/api/v1';

/** What paths may name. */
export const subjects = {
  job: z.string().min(1).max(128),
  group: z.string().regex(/^[0-9a-f]{8}$/, 'must be the eight characters of a cause, digits and a to f'),
  letter: z.string().min(1).max(128),
  change: z.uuid('must be a UUID, as the answer that began the change has it'),
} as const;

/** The name in a route's path; undefined where there is none. */
export function subjectOf(path: string): keyof typeof subjects | undefined {
  return (Object.keys(subjects) as (keyof typeof subjects)[]).find((name) => path.includes(`{${name}}`));
}

export interface Asked<Query, Body> {
  /** What the path names: a job, a cause, a letter, a change; '' where it names nothing. */
  readonly subject: string;
  readonly query: Query;
  readonly body: Body;
  readonly visitor: Visitor;
  readonly request: FastifyRequest;
}

/** Refuses what it does not name, as `onlyFields` makes it. */
type Only = z.ZodObject<z.ZodRawShape, z.core.$strict>;

/** @template Query and Body as their schemas give them. */
export interface ApiRoute<Query = unknown, Body = unknown> {
  readonly method: 'get' | 'post';
  /** Behind {@link API_PREFIX}; with one of {@link subjects}, as in `{job}`, where it is about one. */
  readonly path: string;
  /** Of the operation, for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly query?: Only & z.ZodType<Query>;
  /** Sent as JSON; `file`: the body is a file, which the route reads itself. */
  readonly body?: (Only & z.ZodType<Body>) | 'file';
  readonly answer: z.ZodType;
  /** Waits for what `serve` does, and may give up waiting: what was begun goes on, and who asks again with the same key waits for it. */
  readonly wait?: (
    served: Promise<unknown>,
    /** `takenIn`: settles when the file that is its body has come, or come to nothing. */
    asked: { readonly subject: string; readonly takenIn: Promise<unknown> | undefined },
  ) => Promise<unknown>;
  /** Faults of the one who asks are thrown as PageError. */
  readonly serve: (asked: Asked<Query, Body>) => Promise<unknown>;
}

/** Keeps the types of a route's schemas for its `serve`. */
export function route<Query, Body>(one: ApiRoute<Query, Body>): ApiRoute {
  return one as ApiRoute;
}
