/**
 * OpenTelemetry's own variables, as its specification reads them: a value that cannot be used is told and ignored, and stops
 * nothing. PURE.
 */
import { type Environment, readVariable } from '../config/environment.ts';
import { pairsOf } from './pairs.ts';

/** Where spans go, which, and what they say of this process. */
export interface TelemetrySettings {
  /** Of the collector, with its path. */
  readonly url: string;
  readonly protocol: Protocol;
  /** Of each request; may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of one export, in milliseconds. */
  readonly timeoutMs: number;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** For the samplers by ratio: 0 to 1. */
  readonly ratio: number;
}

/** A variable that is ignored, and why; without its value, which may be secret. */
export interface IgnoredVariable {
  readonly variable: string;
  readonly why: string;
}

const protocols = ['http/protobuf', 'http/json'] as const;
type Protocol = (typeof protocols)[number];

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
    doc: 'The collector, such as `http://localhost:4318`; `/v1/traces` is added. Without it nothing is traced.',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: { fallback: 'none', doc: 'The same with its path; goes before it.' },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    fallback: 'http/protobuf',
    doc: '`http/protobuf` or `http/json`. There is no gRPC.',
  },
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: { fallback: 'none', doc: 'Goes before it.' },
  OTEL_EXPORTER_OTLP_HEADERS: {
    fallback: 'none',
    doc: 'Headers of each request: `name=value,name=value`, values percent-encoded.',
  },
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: { fallback: 'none', doc: 'Goes before it, header by header.' },
  OTEL_EXPORTER_OTLP_TIMEOUT: { fallback: '10000', doc: 'Of one export, tries included, in milliseconds.' },
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: { fallback: 'none', doc: 'Goes before it.' },
  OTEL_SERVICE_NAME: { fallback: 'ota-updater', doc: 'The name of this process in traces.' },
  OTEL_RESOURCE_ATTRIBUTES: {
    fallback: 'none',
    doc: 'What else is said of this process: `name=value,name=value`, percent-encoded.',
  },
  OTEL_TRACES_SAMPLER: {
    fallback: 'parentbased_always_on',
    doc: `One of ${samplers.map((name) => `\`${name}\``).join(', ')}. Those with \`parentbased\` do as the producer of a message did, where it says.`,
  },
  OTEL_TRACES_SAMPLER_ARG: { fallback: '1', doc: 'Of the samplers by ratio: the share of traces, 0 to 1.' },
  OTEL_TRACES_EXPORTER: { fallback: 'otlp', doc: '`otlp`, or `none`: nothing is traced.' },
  OTEL_SDK_DISABLED: { fallback: 'false', doc: '`true`: nothing is traced.' },
} as const;
type VariableName = keyof typeof telemetryVariables;

/** @returns no settings where nothing is to be traced. */
export function readTelemetry(env: Environment): {
  readonly settings: TelemetrySettings | undefined;
  readonly ignored: readonly IgnoredVariable[];
} {
  const ignored: IgnoredVariable[] = [];
  const ignore = (variable: string, why: string): undefined => void ignored.push({ variable, why });
  const text = (variable: VariableName): string | undefined => {
    const { text: value, fault } = readVariable(env, variable);
    return fault === undefined ? value : ignore(variable, fault);
  };
  /** The first of the variables with a value that can be used. */
  const first = <T>(names: readonly VariableName[], read: (text: string) => T | undefined, must: string) => {
    for (const name of names) {
      const value = text(name);
      if (value === undefined) continue;
      const used = read(value);
      if (used !== undefined) return used;
      ignore(name, must);
    }
    return undefined;
  };
  const oneOf = <T extends string>(all: readonly T[], names: readonly VariableName[]): T | undefined =>
    first(names, (value) => all.find((each) => each === value), `must be one of ${all.join(', ')}`);
  const pairs = (name: VariableName, isName: (name: string) => boolean): Record<string, string> =>
    first([name], (value) => pairsOf(value, isName), 'must be name=value,name=value, percent-encoded') ?? {};

  const off =
    oneOf(['true', 'false'], ['OTEL_SDK_DISABLED']) === 'true' ||
    oneOf(['otlp', 'none'], ['OTEL_TRACES_EXPORTER']) === 'none';
  const url = off
    ? undefined
    : (first(['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], httpUrl, HTTP_URL) ??
      first(
        ['OTEL_EXPORTER_OTLP_ENDPOINT'],
        (value) => httpUrl(value.replace(/\/*$/, '/v1/traces')),
        HTTP_URL,
      ));
  if (url === undefined) return { settings: undefined, ignored };
  const attributes = pairs('OTEL_RESOURCE_ATTRIBUTES', () => true);
  const settings: TelemetrySettings = {
    url,
    protocol:
      oneOf(protocols, ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) ??
      'http/protobuf',
    headers: {
      ...pairs('OTEL_EXPORTER_OTLP_HEADERS', isHeaderName),
      ...pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', isHeaderName),
    },
    timeoutMs:
      first(
        ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
        (value) => numberIn(value, 1, MAX_TIMEOUT_MS),
        `must be milliseconds from 1 to ${MAX_TIMEOUT_MS}`,
      ) ?? 10_000,
    serviceName: text('OTEL_SERVICE_NAME') ?? attributes['service.name'] ?? 'ota-updater',
    resourceAttributes: attributes,
    sampler: oneOf(samplers, ['OTEL_TRACES_SAMPLER']) ?? 'parentbased_always_on',
    ratio:
      first(['OTEL_TRACES_SAMPLER_ARG'], (value) => numberIn(value, 0, 1), 'must be a number from 0 to 1') ??
      1,
  };
  return { settings, ignored };
}

const HTTP_URL = 'must be a URL (http://localhost:4318)';

function httpUrl(text: string): string | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url.href : undefined;
}

function numberIn(text: string, least: number, most: number): number | undefined {
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}

/** Of HTTP: anything else would fail at every request. */
function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
}
