import { describe, expect, test } from 'vitest';
import { apiEndpoint, customEndpoint } from '../../src/check/endpoint.ts';
import { duration, readableUrl } from '../../src/check/wording.ts';

describe('apiEndpoint', () => {
  test.each([
    ['the region', {}, 'https://api.iotmanagedintegrations.eu-west-1.api.aws', false],
    [
      'region and FIPS',
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'https://api.iotmanagedintegrations-fips.eu-west-1.api.aws',
      false,
    ],
    ['its variable', { AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://a:1' }, 'http://a:1', true],
    ['the variable of all services', { AWS_ENDPOINT_URL: 'http://b:2' }, 'http://b:2', true],
    [
      'its variable before that of all services',
      { AWS_ENDPOINT_URL: 'http://b:2', AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://a:1' },
      'http://a:1',
      true,
    ],
    [
      'the region when variables are to be ignored',
      { AWS_ENDPOINT_URL: 'http://b:2', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'https://api.iotmanagedintegrations.eu-west-1.api.aws',
      false,
    ],
  ])('is chosen by %s', (_, env, url, custom) => {
    expect(apiEndpoint(env, 'eu-west-1')).toMatchObject({ url, custom });
  });
});

describe('customEndpoint', () => {
  test('is none where no variable is set, or an empty one', () => {
    expect(customEndpoint({}, 'sqs')).toBeUndefined();
    expect(customEndpoint({ AWS_ENDPOINT_URL_SQS: '', AWS_ENDPOINT_URL: '' }, 'sqs')).toBeUndefined();
  });

  test('keeps the services apart', () => {
    expect(customEndpoint({ AWS_ENDPOINT_URL_SQS: 'http://a:1' }, 'api')).toBeUndefined();
    expect(customEndpoint({ AWS_ENDPOINT_URL_SQS: 'http://a:1' }, 'sqs')).toBe('http://a:1');
  });
});

describe('duration', () => {
  test.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [90, '90 seconds'],
    [60, '1 minute'],
    [7_200, '2 hours'],
    [86_400, '1 day'],
    [1_209_600, '14 days'],
  ])('words %i s as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('readableUrl', () => {
  test.each([
    ['https://user:hunter2@host:1/q?token=hunter2#x', 'https://host:1/q'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
    ['hunter2', 'an address that is not a URL'],
  ])('keeps what is no secret of %s', (url, shown) => {
    expect(readableUrl(url)).toBe(shown);
  });
});
