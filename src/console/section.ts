/**
 * How to add a page: a section has routes, and a place in the navigation. `sections.ts` lists all sections.
 *
 * - `site.view('/path', async (request) => page)`: a page for users who may read.
 * - `site.change('/path', fields, async (change) => '/where-to-go')`: the action of a form, for operators. The form is a POST with
 *   `formTokenField(visitor)`, a field `reason`, and the fields of the schema.
 * - `site.live('/live/path', feed)`: a stream of fragments, shown in an element with `hx-sse:connect`.
 * - `site.app`: Fastify itself, for everything else; its routes are guarded in the same way (access/gate.ts).
 */
import type { FastifyInstance, FastifyRequest, preValidationAsyncHookHandler } from 'fastify';
import type { ZodType } from 'zod';
import type { Visitor } from './access/visitor.ts';
import type { Feed } from './live/feed.ts';
import type { NavItem, Page } from './pages/layout.ts';

export interface Section {
  readonly nav?: NavItem;
  readonly add: (site: Site) => void;
}

/** A permitted request to change something. */
export interface Change<Fields> {
  readonly fields: Fields;
  /** 1 to 500 characters. */
  readonly reason: string;
  readonly visitor: Visitor;
  readonly request: FastifyRequest;
}

export interface Site {
  readonly app: FastifyInstance;
  /** Throws PageError for faults of the user. */
  readonly view: (
    path: string,
    make: (request: FastifyRequest, visitor: Visitor) => Promise<Page> | Page,
  ) => void;
  /**
   * `make` carries it out, and returns where the browser goes next. It throws PageError for faults of the user; a body that does not
   * match `fields` already causes one.
   * @param options `before` reads a body with a file, which may take a while, instead of a plain form. `labels`: the form's names for
   * its fields.
   */
  readonly change: <Fields>(
    path: string,
    fields: ZodType<Fields>,
    make: (change: Change<Fields>) => Promise<string>,
    options?: {
      readonly before?: preValidationAsyncHookHandler;
      readonly labels?: Readonly<Record<string, string>>;
    },
  ) => void;
  /** One feed for all viewers, or one made per request. */
  readonly live: (path: string, feed: Feed | ((request: FastifyRequest) => Feed)) => void;
}
