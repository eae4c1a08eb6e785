/**
 * OpenTelemetry's SDK: creates spans, samples them, and sends them to a collector in the background. Loaded only if
 * something is traced. Nothing in it is global.
 */
import type { Attributes, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { ATTR_SERVICE_INSTANCE_ID } from '@opentelemetry/semantic-conventions/incubating';
import { version } from '../version.ts';
import type { TelemetrySettings } from './settings.ts';

/** The most spans that wait to be sent; further ones are dropped. A few megabytes. */
const MOST_WAITING = 2_048;
const MOST_IN_REQUEST = 512;
/** The processor gives up an export so much later than the exporter itself, which otherwise could not say why it failed. */
const LATER_MS = 1_000;
/** The longest text in spans: names and messages of errors come from other systems. */
const MOST_CHARACTERS = 1_000;
/** The names of the SDK's exporters and samplers carry no information here; success is code 0. */
const SUCCESS = 0;

export interface ProviderOptions {
  readonly settings: TelemetrySettings;
  /** Distinguishes this process from others of the same name. */
  readonly instance: string;
  /** How an export has ended: undefined if it succeeded. */
  readonly onExport: (error: Error | undefined) => void;
}

export interface Provider {
  /** Of the collector. */
  readonly url: string;
  readonly tracer: Tracer;
  /** Sends the waiting spans, and ends; resolves after `mostMs` milliseconds at the latest. Never rejects. */
  readonly close: (mostMs: number) => Promise<void>;
}

export function createProvider({ settings, instance, onExport }: ProviderOptions): Provider {
  const attributes: Attributes = {
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: instance,
    ...settings.resourceAttributes,
    [ATTR_SERVICE_NAME]: settings.serviceName,
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes(attributes),
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: MOST_CHARACTERS },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: observed(exporterOf(settings), onExport),
        maxQueueSize: MOST_WAITING,
        maxExportBatchSize: MOST_IN_REQUEST,
        exportTimeoutMillis: settings.timeoutMs + LATER_MS,
      }),
    ],
  });
  return {
    url: settings.url,
    tracer: provider.getTracer('ota-updater', version),
    close: async (mostMs) => {
      const timeUp = Promise.withResolvers<void>();
      const timer = setTimeout(timeUp.resolve, mostMs);
      await Promise.race([provider.shutdown().catch(() => undefined), timeUp.promise]);
      clearTimeout(timer);
    },
  };
}

type CompressionAlgorithm = NonNullable<
  NonNullable<ConstructorParameters<typeof JsonExporter>[0]>['compression']
>;

function exporterOf({ url, protocol, headers, ...settings }: TelemetrySettings): SpanExporter {
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter;
  return new Exporter({
    url,
    headers: { ...headers },
    timeoutMillis: settings.timeoutMs,
    // By value: the enumeration is in a package that is not our dependency.
    compression: settings.compression as CompressionAlgorithm,
    concurrencyLimit: 4,
  });
}

/** The SDK itself reports nowhere that spans do not arrive. */
function observed(exporter: SpanExporter, onExport: ProviderOptions['onExport']): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        onExport(result.code === SUCCESS ? undefined : (result.error ?? new Error('not exported')));
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush !== undefined && {
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    }),
  };
}

function samplerOf({ sampler, ratio }: TelemetrySettings): Sampler {
  const name = sampler.replace('parentbased_', '');
  const root =
    name === 'always_on'
      ? new AlwaysOnSampler()
      : name === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return name === sampler ? root : new ParentBasedSampler({ root });
}
