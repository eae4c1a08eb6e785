import { describe, expect, test } from 'vitest';
import { customEndpoint } from '../../src/aws/endpoints.ts';
import { apiEndpoint } from '../../src/check/endpoint.ts';

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
