/** Spans as a collector receives them (OTLP in JSON), and their tree as text. */
import { z } from 'zod';

const value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
});
const attributes = z.array(z.object({ key: z.string(), value })).default([]);
const link = z.object({ traceId: z.string(), spanId: z.string(), attributes });

const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().default(''),
              name: z.string(),
              kind: z.number(),
              startTimeUnixNano: z.string(),
              endTimeUnixNano: z.string(),
              attributes,
              links: z.array(link).default([]),
              status: z.object({ code: z.number().default(0), message: z.string().default('') }),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A span with its service. */
export interface SeenSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has no parent. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer' | 'unknown';
  /** Epoch nanoseconds. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
}

const kinds = ['unknown', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** @param body of a POST to `/v1/traces`. @throws when it is not OTLP in JSON. */
export function readSpans(body: string): SeenSpan[] {
  return request.parse(JSON.parse(body)).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(plain(resource.attributes)['service.name']),
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: span.name,
        kind: kinds[span.kind] ?? 'unknown',
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: plain(span.attributes),
        links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
        failed: span.status.code === 2,
      })),
    ),
  );
}

function plain(list: z.infer<typeof attributes>): Record<string, string | number | boolean> {
  return Object.fromEntries(
    list.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ??
        (intValue === undefined ? undefined : Number(intValue)) ??
        doubleValue ??
        boolValue ??
        '',
    ]),
  );
}

/** Attributes shown in the tree, in addition to names. */
const shown = [
  ...['http.response.status_code', 'http.request.resend_count', 'error.type'],
  ...['ota_updater.disposition', 'ota_updater.reason', 'ota_updater.redrive'],
];

/** The spans of one trace as a tree, in the order of their start: what each service does, without ids and times. */
export function spanTree(spans: readonly SeenSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: SeenSpan | undefined): SeenSpan[] =>
    spans
      .filter(({ parentSpanId }) =>
        parent === undefined ? !ids.has(parentSpanId) : parentSpanId === parent.spanId,
      )
      .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const lines = (span: SeenSpan, depth: number): string[] => [
    `${'  '.repeat(depth)}${span.name}  (${[span.service, span.kind, ...facts(span)].join(', ')})`,
    ...below(span).flatMap((child) => lines(child, depth + 1)),
  ];
  return below(undefined)
    .flatMap((root) => lines(root, 0))
    .join('\n');
}

function facts({ attributes: all, links }: SeenSpan): string[] {
  return [
    ...shown.flatMap((name) =>
      all[name] === undefined ? [] : [`${name.replace(/^.*\./, '')} ${all[name]}`],
    ),
    ...(links.length === 0 ? [] : [`links ${links.length}`]),
  ];
}
