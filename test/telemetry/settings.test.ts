import { describe, expect, test } from 'vitest';
import { readTelemetry, telemetryVariables } from '../../src/telemetry/settings.ts';

const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

describe('readTelemetry', () => {
  test('traces nothing without an endpoint, or where that is switched off', () => {
    expect(readTelemetry({})).toEqual({ settings: undefined, ignored: [] });
    expect(readTelemetry({ ...on, OTEL_SDK_DISABLED: 'true' }).settings).toBeUndefined();
    expect(readTelemetry({ ...on, OTEL_TRACES_EXPORTER: 'none' }).settings).toBeUndefined();
    expect(readTelemetry({ ...on, OTEL_SDK_DISABLED: 'false' }).settings).toBeDefined();
  });

  test('has the defaults of the specification', () => {
    expect(readTelemetry(on)).toEqual({
      settings: {
        url: 'http://localhost:4318/v1/traces',
        protocol: 'http/protobuf',
        headers: {},
        timeoutMs: 10_000,
        compression: 'none',
        serviceName: 'ota-updater',
        resourceAttributes: {},
        sampler: 'parentbased_always_on',
        ratio: 1,
      },
      ignored: [],
    });
  });

  test('adds the path to the one endpoint, and takes the other as it is', () => {
    const url = (env: Record<string, string>) => readTelemetry(env).settings?.url;
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/base/' })).toBe('https://c/base/v1/traces');
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4318/?x=1' })).toBe('http://h:4318/v1/traces?x=1');
    expect(url({ ...on, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c/own' })).toBe('https://c/own');
  });

  test.each([
    ['OTEL_SDK_DISABLED', 'True'],
    ['OTEL_SDK_DISABLED', 'TRUE'],
    ['OTEL_TRACES_EXPORTER', 'None'],
  ])('knows %s=%s, whatever its letters', (variable, value) => {
    expect(readTelemetry({ ...on, [variable]: value })).toEqual({ settings: undefined, ignored: [] });
  });

  test('knows samplers and protocols in capitals', () => {
    const { settings, ignored } = readTelemetry({
      ...on,
      OTEL_TRACES_SAMPLER: 'ALWAYS_OFF',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON',
    });
    expect(settings).toMatchObject({ sampler: 'always_off', protocol: 'http/json' });
    expect(ignored).toEqual([]);
  });

  test('takes attributes in any language, and headers in ASCII alone', () => {
    const { settings, ignored } = readTelemetry({
      ...on,
      OTEL_RESOURCE_ATTRIBUTES: 'city=M%C3%BCnchen,team=a',
    });
    expect(settings?.resourceAttributes).toEqual({ city: 'München', team: 'a' });
    expect(ignored).toEqual([]);
    expect(
      readTelemetry({ ...on, OTEL_EXPORTER_OTLP_HEADERS: 'city=M%C3%BCnchen' }).settings,
    ).toBeUndefined();
  });

  test('reads the rest', () => {
    expect(
      readTelemetry({
        ...on,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc, x-tenant=7',
        OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
        OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=prod%2Ceu',
        OTEL_SERVICE_NAME: 'updates',
        OTEL_TRACES_SAMPLER: 'traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.01',
      }),
    ).toEqual({
      settings: {
        url: 'http://localhost:4318/v1/traces',
        protocol: 'http/json',
        headers: { authorization: 'Basic abc', 'x-tenant': '7' },
        timeoutMs: 2_500,
        compression: 'none',
        serviceName: 'updates',
        resourceAttributes: { 'service.name': 'other', 'deployment.environment.name': 'prod,eu' },
        sampler: 'traceidratio',
        ratio: 0.01,
      },
      ignored: [],
    });
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'not a url'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '"http://localhost:4318"'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no pair'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=c'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%0d%0aInjected: yes'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', 'ten seconds'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '2500.5'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0x9c4'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
    ['OTEL_RESOURCE_ATTRIBUTES', '=x'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '5'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_SDK_DISABLED', 'yes'],
  ])('tells that %s cannot be %s, without the value, and goes on without it', (variable, value) => {
    const { settings, ignored } = readTelemetry({ ...on, [variable]: value });
    expect(ignored).toEqual([{ variable, why: expect.any(String) }]);
    expect(ignored[0]?.why).not.toContain(value);
    // Without these nothing would arrive.
    if (/ENDPOINT|HEADERS/.test(variable)) expect(settings).toBeUndefined();
    else expect(settings).toEqual(readTelemetry(on).settings);
  });

  test.each<[string, boolean, boolean]>([
    ['otlp', true, false],
    ['OTLP,otlp', true, false],
    ['otlp,', true, false],
    [',', true, false],
    ['otlp,console', true, true],
    ['console, otlp', true, true],
    ['console', true, true],
    ['none,none', false, false],
    ['none,console', false, true],
    ['otlp,none', true, true],
  ])('takes OTEL_TRACES_EXPORTER=%s for a list: traced %s, told %s', (value, traced, told) => {
    const { settings, ignored } = readTelemetry({ ...on, OTEL_TRACES_EXPORTER: value });
    expect(settings !== undefined).toBe(traced);
    expect(ignored.map(({ variable }) => variable)).toEqual(told ? ['OTEL_TRACES_EXPORTER'] : []);
  });

  test.each<[string, Record<string, string>, string]>([
    ['has one of its own', {}, 'ota-updater'],
    ['takes it from the attributes', { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a' }, 'a'],
    ['takes an empty one for none', { OTEL_RESOURCE_ATTRIBUTES: 'service.name=,team=b' }, 'ota-updater'],
    ['prefers its own variable', { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' }, 'b'],
    [
      'takes an empty variable for none',
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: '' },
      'a',
    ],
  ])('of the name of the service: %s', (_, env, name) => {
    const { settings, ignored } = readTelemetry({ ...on, ...env });
    expect(settings?.serviceName).toBe(name);
    expect(ignored).toEqual([]);
  });

  test('waits without an end, as far as it can, with a time-out of 0', () => {
    const { settings, ignored } = readTelemetry({ ...on, OTEL_EXPORTER_OTLP_TIMEOUT: '0' });
    expect(settings?.timeoutMs).toBe(600_000);
    expect(ignored).toEqual([]);
  });

  test('waits as long as it can with a time-out that is longer, and tells it', () => {
    const { settings, ignored } = readTelemetry({ ...on, OTEL_EXPORTER_OTLP_TIMEOUT: '900000' });
    expect(settings?.timeoutMs).toBe(600_000);
    expect(ignored).toEqual([
      {
        variable: 'OTEL_EXPORTER_OTLP_TIMEOUT',
        why: 'is over 600000 milliseconds: the maximum of 600000 applies',
      },
    ]);
  });

  test.each([
    [{}, 'none'],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }, 'gzip'],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none' }, 'none'],
  ])('compresses as %j says', (env, compression) => {
    expect(readTelemetry({ ...on, ...env })).toMatchObject({ settings: { compression }, ignored: [] });
  });

  test('falls back to the common variable where the special one is wrong', () => {
    const { settings, ignored } = readTelemetry({
      ...on,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://c',
    });
    expect(settings?.url).toBe('http://localhost:4318/v1/traces');
    expect(ignored.map(({ variable }) => variable)).toEqual(['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  });

  test('has a meaning for each variable', () => {
    expect(Object.keys(telemetryVariables).every((name) => name.startsWith('OTEL_'))).toBe(true);
  });
});
