import { describe, expect, test } from 'vitest';
import { isClearTextToAws } from '../../src/aws/endpoints.ts';
import { awsFaults } from '../../src/config/aws.ts';
import type { Environment } from '../../src/config/environment.ts';

const region = { AWS_REGION: 'eu-west-1' };
const noFiles = () => undefined;

describe('what the SDK could use', () => {
  test.each<Environment>([
    region,
    { ...region, AWS_DEFAULT_REGION: 'us-east-1' },
    { AWS_REGION: 'us-gov-west-1' },
    { AWS_REGION: 'local' },
    { ...region, AWS_ENDPOINT_URL: 'http://localhost:4566' },
    { ...region, AWS_ENDPOINT_URL_SQS: 'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com' },
    { ...region, AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://cloud:8089/base' },
    { ...region, AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'false' },
    {
      ...region,
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://a:1',
    },
    {
      ...region,
      HTTP_PROXY: 'http://user:secret@proxy:3128',
      https_proxy: 'proxy:3128',
      NO_PROXY: 'a, .b',
    },
    { ...region, AWS_ENDPOINT_URL: '', HTTP_PROXY: '' },
    { ...region, OTHER: '"quoted"' },
  ])('has no fault: %o', (env) => {
    expect(awsFaults(env, noFiles)).toEqual([]);
  });
});

describe('every fault is named, with what to do', () => {
  test.each<[Environment, string, RegExp]>([
    [{}, 'AWS_REGION', /is required/],
    [{ AWS_REGION: '' }, 'AWS_REGION', /is required/],
    [{ AWS_DEFAULT_REGION: 'eu-west-1' }, 'AWS_REGION', /AWS_DEFAULT_REGION is set, but .* does not read it/],
    [{ AWS_REGION: '"eu-west-1"' }, 'AWS_REGION', /in quotes, which `docker run --env-file` keeps/],
    [{ AWS_REGION: "'eu-west-1'" }, 'AWS_REGION', /in quotes/],
    [{ AWS_REGION: 'eu-west-1\r' }, 'AWS_REGION', /carriage return/],
    [{ AWS_REGION: 'eu-west-1 ' }, 'AWS_REGION', /blank/],
    [{ AWS_REGION: '\ufeffeu-west-1' }, 'AWS_REGION', /byte order mark/],
    [{ '\ufeffAWS_REGION': 'eu-west-1' }, 'AWS_REGION', /byte order mark/],
    [{ AWS_REGION: 'eu-west-1.evil.example/' }, 'AWS_REGION', /name of a region/],
    [{ ...region, AWS_SECRET_ACCESS_KEY: '"s3cret"' }, 'AWS_SECRET_ACCESS_KEY', /in quotes/],
    [{ ...region, AWS_SESSION_TOKEN: 's3cret\nmore' }, 'AWS_SESSION_TOKEN', /line break/],
    [{ ...region, AWS_ACCESS_KEY_ID: 's3cret\n' }, 'AWS_ACCESS_KEY_ID', /line break/],
    [{ ...region, AWS_PROFILE: '"a"' }, 'AWS_PROFILE', /in quotes/],
    [{ ...region, AWS_ENDPOINT_URL: 'localhost:8080' }, 'AWS_ENDPOINT_URL', /http:\/\/localhost:8080/],
    [{ ...region, AWS_ENDPOINT_URL_SQS: 'sqs' }, 'AWS_ENDPOINT_URL_SQS', /URL with its scheme/],
    [
      { ...region, AWS_ENDPOINT_URL_STS: 'http://sts.eu-west-1.amazonaws.com' },
      'AWS_ENDPOINT_URL_STS',
      /must begin with https/,
    ],
    [{ ...region, AWS_ENDPOINT_URL_SQS: 'http://u:s3cret@h' }, 'AWS_ENDPOINT_URL_SQS', /URL/],
    [
      { ...region, AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'localhost:8080' },
      'AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS',
      /URL with its scheme/,
    ],
    [
      { ...region, AWS_ENDPOINT_URL_SQS: 'http://sqs.eu-west-1.amazonaws.com' },
      'AWS_ENDPOINT_URL_SQS',
      /must begin with https/,
    ],
    [
      { ...region, AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: 'http://a' },
      'AWS_USE_FIPS_ENDPOINT',
      /together with an endpoint/,
    ],
    [{ ...region, AWS_USE_DUALSTACK_ENDPOINT: 'yes' }, 'AWS_USE_DUALSTACK_ENDPOINT', /true or false/],
    [{ ...region, HTTPS_PROXY: '"http://u:s3cret@p:1"' }, 'HTTPS_PROXY', /in quotes/],
    [{ ...region, http_proxy: 'socks5://u:s3cret@p:1' }, 'HTTP_PROXY', /an HTTP proxy/],
    [{ ...region, HTTPS_PROXY: 'http://' }, 'HTTPS_PROXY', /an HTTP proxy/],
  ])('%o', (env, name, says) => {
    const faults = awsFaults(env, noFiles);
    expect(faults).toEqual([expect.stringMatching(says)]);
    expect(faults[0]).toMatch(new RegExp(`^${name}: `));
    expect(faults[0]).not.toContain('s3cret');
  });

  test('all of them at once', () => {
    const bad = {
      AWS_REGION: '"eu-west-1"',
      AWS_ENDPOINT_URL_SQS: 'localhost:4566',
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://api.iotmanagedintegrations.eu-west-1.api.aws',
      AWS_SECRET_ACCESS_KEY: 'a\r',
      HTTPS_PROXY: 'ftp://proxy',
    };
    const named = awsFaults(bad, noFiles).map((fault) => fault.split(':')[0]);
    expect(named.sort()).toEqual(Object.keys(bad).sort());
  });
});

describe('the region of a profile', () => {
  const files: Readonly<Record<string, string>> = {
    '/home/me/.aws/config': [
      '[default]',
      'region = eu-west-1 # ours',
      '[ profile  other ]',
      'sso_session = x',
      'region=eu-central-1',
      '[profile nested]',
      's3 =',
      '  region = us-east-1',
      '[sso-session region]',
      'region = us-east-1',
    ].join('\r\n'),
    '/elsewhere': '[only]\nregion = eu-west-1\n',
  };
  const read = (path: string) => files[path];
  test.each<[Environment, boolean]>([
    [{ HOME: '/home/me' }, true],
    [{ USERPROFILE: '/home/me' }, true],
    [{ HOME: '/home/me', AWS_PROFILE: 'other' }, true],
    [{ HOME: '/home/me', AWS_PROFILE: 'nested' }, false],
    [{ HOME: '/home/me', AWS_PROFILE: 'region' }, false],
    [{ HOME: '/home/you' }, false],
    [{}, false],
    [{ HOME: '/home/me', AWS_CONFIG_FILE: '/nowhere' }, false],
    [{ AWS_SHARED_CREDENTIALS_FILE: '/elsewhere', AWS_PROFILE: 'only' }, true],
    [{ AWS_CONFIG_FILE: '/elsewhere', AWS_PROFILE: 'only' }, false],
  ])('%o: %s', (env, found) => {
    expect(awsFaults(env, read)).toHaveLength(found ? 0 : 1);
  });
});

test.each([
  ['http://sqs.eu-west-1.amazonaws.com/1/q', true],
  ['http://SQS.eu-west-1.AMAZONAWS.com./1/q', true],
  ['http://queue.amazonaws.com/1/q', true],
  ['http://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q', true],
  ['http://sqs.cn-north-1.amazonaws.com.cn/1/q', true],
  ['http://api.iotmanagedintegrations.eu-west-1.api.aws', true],
  ['http://sqs.eusc-de-east-1.amazonaws.eu/1/q', true],
  ['https://sqs.eu-west-1.amazonaws.com/1/q', false],
  ['http://sqs.eu-west-1.localhost.localstack.cloud:4566/0/q', false],
  ['http://amazonaws.com.example/1/q', false],
  ['http://notamazonaws.com/1/q', false],
  ['not a URL', false],
])('%s goes to AWS in the clear: %s', (url, clear) => {
  expect(isClearTextToAws(url)).toBe(clear);
});
