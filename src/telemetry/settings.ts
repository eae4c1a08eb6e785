/**
 * OpenTelemetry's own variables, read by its specification: a value that cannot be used is reported and ignored, and stops
 * no work. PURE.
 */
import type { Environment } from '../config/environment.ts';
import { type IgnoredVariable, VariableReader } from './variable-reader.ts';

/** Where spans go, which spans, and what they say about this process. */
export interface TelemetrySettings {
  /** Of the collector, with its path. */
  readonly url: string;
  readonly protocol: Protocol;
  /** Of each request; may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of one export, in milliseconds. */
  readonly timeoutMs: number;
  readonly compression: Compression;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** For the ratio samplers: 0 to 1. */
  readonly ratio: number;
}

const protocols = ['http/protobuf', 'http/json'] as const;
type Protocol = (typeof protocols)[number];

const compressions = ['gzip', 'none'] as const;
type Compression = (typeof compressions)[number];

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
type SamplerName = (typeof samplers)[number];

const MAX_TIMEOUT_MS = 600_000;

/** Every variable that is read. docs/reference/configuration.md is generated from this table. */
export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    fallback: 'none',
    doc: 'The collector, such as `http://localhost:4318`; `/v1/traces` is added to its path. Without it nothing is traced.',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    fallback: 'none',
    doc: 'The same for traces, with its whole path; takes precedence.',
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    fallback: 'http/protobuf',
    doc: '`http/protobuf` or `http/json`. There is no gRPC.',
  },
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: { fallback: 'none', doc: 'The same for traces; takes precedence.' },
  OTEL_EXPORTER_OTLP_HEADERS: {
    fallback: 'none',
    doc: 'Headers of each request: `name=value,name=value`, values percent-encoded. If a value is wrong, nothing is traced.',
  },
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: {
    fallback: 'none',
    doc: 'The same for traces; takes precedence, header by header.',
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: {
    fallback: '10000',
    doc: 'Timeout of one export, including retries, in milliseconds; `0` and values above ten minutes mean ten minutes.',
  },
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: { fallback: 'none', doc: 'The same for traces; takes precedence.' },
  OTEL_EXPORTER_OTLP_COMPRESSION: {
    fallback: 'none',
    doc: 'Compression of request bodies: `gzip` or `none`.',
  },
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: { fallback: 'none', doc: 'The same for traces; takes precedence.' },
  OTEL_EXPORTER_OTLP_CERTIFICATE: {
    fallback: 'none',
    doc: "A PEM file to check the collector's certificate with. OpenTelemetry's exporter reads this file and the next two itself, and ignores a file that it cannot read.",
  },
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: {
    fallback: 'none',
    doc: 'A PEM file: the certificate that the process presents to the collector.',
  },
  OTEL_EXPORTER_OTLP_CLIENT_KEY: {
    fallback: 'none',
    doc: 'A PEM file: the private key of that certificate.',
  },
  OTEL_SERVICE_NAME: { fallback: 'ota-updater', doc: 'The name of this process in traces.' },
  OTEL_RESOURCE_ATTRIBUTES: {
    fallback: 'none',
    doc: 'More attributes of this process: `name=value,name=value`, percent-encoded.',
  },
  OTEL_TRACES_SAMPLER: {
    fallback: 'parentbased_always_on',
    doc: `One of ${samplers.map((name) => `\`${name}\``).join(', ')}. Those with \`parentbased\` follow the decision of the producer of a message, if there is one.`,
  },
  OTEL_TRACES_SAMPLER_ARG: { fallback: '1', doc: 'For the samplers by ratio: the share of traces, 0 to 1.' },
  OTEL_TRACES_EXPORTER: {
    fallback: 'otlp',
    doc: '`otlp`, or `none`: nothing is traced. Other exporters in a list are reported and ignored.',
  },
  OTEL_SDK_DISABLED: { fallback: 'false', doc: '`true`: nothing is traced.' },
} as const;
type VariableName = keyof typeof telemetryVariables;

/** @returns no settings if nothing is traced. */
export function readTelemetry(env: Environment): {
  readonly settings: TelemetrySettings | undefined;
  readonly ignored: readonly IgnoredVariable[];
} {
  const read = new VariableReader<VariableName>(env);
  const off =
    read.oneOf(['OTEL_SDK_DISABLED'], ['true', 'false']) === 'true' ||
    read.list('OTEL_TRACES_EXPORTER', ['otlp'])?.length === 0;
  const settings = off ? undefined : settingsOf(read);
  return { settings, ignored: read.ignored };
}

function settingsOf(read: VariableReader<VariableName>): TelemetrySettings | undefined {
  const url =
    read.first(['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], (text) => httpUrl(text), HTTP_URL) ??
    read.first(['OTEL_EXPORTER_OTLP_ENDPOINT'], (text) => httpUrl(text, '/v1/traces'), HTTP_URL);
  if (url === undefined) return undefined;
  const headers = read.pairs('OTEL_EXPORTER_OTLP_HEADERS', isHeader);
  const ownHeaders = read.pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', isHeader);
  const attributes = read.pairs('OTEL_RESOURCE_ATTRIBUTES') ?? {};
  const settings: TelemetrySettings = {
    url,
    protocol:
      read.oneOf(['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'], protocols) ??
      'http/protobuf',
    headers: { ...headers, ...ownHeaders },
    timeoutMs:
      // Zero means no limit.
      (read.number(
        ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
        { least: 0, most: MAX_TIMEOUT_MS, whole: true, capped: true },
        'milliseconds',
      ) ??
        10_000) ||
      MAX_TIMEOUT_MS,
    compression:
      read.oneOf(['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'OTEL_EXPORTER_OTLP_COMPRESSION'], compressions) ??
      'none',
    serviceName: (read.text('OTEL_SERVICE_NAME') ?? attributes['service.name']) || 'ota-updater',
    resourceAttributes: attributes,
    sampler: read.oneOf(['OTEL_TRACES_SAMPLER'], samplers) ?? 'parentbased_always_on',
    ratio: read.number(['OTEL_TRACES_SAMPLER_ARG'], { least: 0, most: 1 }, 'a number') ?? 1,
  };
  // Without its headers the collector would refuse every request, and the exporter reads the variable itself.
  return headers === undefined || ownHeaders === undefined ? undefined : settings;
}

const HTTP_URL = 'must be a URL (http://localhost:4318)';

/** @param under the suffix of the path; a query stays after it. */
function httpUrl(text: string, under = ''): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return undefined;
  if (under !== '') url.pathname = url.pathname.replace(/\/*$/, under);
  return url.href;
}

/** Whether HTTP allows the header: another one would fail at every request, or become a different header. */
function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && /^[\x20-\x7e]*$/.test(value);
}
