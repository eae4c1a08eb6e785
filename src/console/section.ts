/**
 * How a page is added: a section brings its routes, and its place in the navigation. `sections.ts` lists them all.
 *
 * - `site.view('/path', async (request) => page)`: a page for who may read.
 * - `site.change('/path', fields, async (change) => '/where-to-go')`: what a form does, for operators. The form is a POST with
 *   `formTokenField(visitor)`, a field `reason`, and the fields that the schema names.
 * - `site.live('/live/path', feed)`: a stream of fragments, which an element with `hx-sse:connect` shows.
 * - `site.app`: Fastify itself, for what is none of these; its routes are guarded the same way (access/gate.ts).
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

/** A request to change something, which may. */
export interface Change<Fields> {
  readonly fields: Fields;
  /** 1 to 500 characters. */
  readonly reason: string;
  readonly visitor: Visitor;
  readonly request: FastifyRequest;
}

export interface Site {
  readonly app: FastifyInstance;
  /** Faults of the one who asks are thrown as PageError. */
  readonly view: (
    path: string,
    make: (request: FastifyRequest, visitor: Visitor) => Promise<Page> | Page,
  ) => void;
  /**
   * `make` does it, and says where the browser goes then. Faults of the one who asks are thrown as PageError; a body that is
   * not of `fields` is one already.
   * @param options `before` reads a body that is no plain form, but one with a file, which may take its time. `labels` is what the form calls
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
  /** A feed for all, or one made for each who comes. */
  readonly live: (path: string, feed: Feed | ((request: FastifyRequest) => Feed)) => void;
}
