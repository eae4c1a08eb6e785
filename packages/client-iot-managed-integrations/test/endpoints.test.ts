import { HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/types';
import { describe, expect, it, vi } from 'vitest';
import {
  IoTManagedIntegrationsClient,
  type IoTManagedIntegrationsClientConfig,
  UpdateOtaTaskCommand,
} from '../src/index.ts';
import { ApiServer, CREDENTIALS, rejection, withoutAwsSettings } from './support.ts';

withoutAwsSettings();

const command = () => new UpdateOtaTaskCommand({ Identifier: 't-1' });

/** Sends one call to where the configuration says, stopping it before the network. */
async function destination(config: IoTManagedIntegrationsClientConfig): Promise<string> {
  let sent: HttpRequest | undefined;
  const requestHandler = {
    async handle(request: HttpRequest) {
      sent = request;
      return { response: new HttpResponse({ statusCode: 204 }) };
    },
  };
  await new IoTManagedIntegrationsClient({ credentials: CREDENTIALS, requestHandler, ...config }).send(
    command(),
  );
  return `${sent?.protocol}//${sent?.headers.host}${sent?.path}`;
}

describe('the endpoint of a region', () => {
  it.each([
    ['eu-west-1', 'api.iotmanagedintegrations.eu-west-1.api.aws'],
    ['ca-central-1', 'api.iotmanagedintegrations.ca-central-1.api.aws'],
    ['ap-future-9', 'api.iotmanagedintegrations.ap-future-9.api.aws'],
    ['cn-north-1', 'api.iotmanagedintegrations.cn-north-1.api.amazonwebservices.com.cn'],
    ['us-gov-west-1', 'api.iotmanagedintegrations.us-gov-west-1.api.aws'],
    ['us-iso-east-1', 'api.iotmanagedintegrations.us-iso-east-1.api.aws.ic.gov'],
    ['eusc-de-east-1', 'api.iotmanagedintegrations.eusc-de-east-1.api.amazonwebservices.eu'],
  ])('is, for %s, %s', async (region, host) => {
    expect(await destination({ region })).toBe(`https://${host}/ota-tasks/t-1`);
  });

  it.each([
    ['ca-central-1', 'api.iotmanagedintegrations-fips.ca-central-1.api.aws'],
    ['us-gov-west-1', 'api.iotmanagedintegrations-fips.us-gov-west-1.api.aws'],
    ['cn-north-1', 'api.iotmanagedintegrations-fips.cn-north-1.api.amazonwebservices.com.cn'],
  ])('is, for %s with FIPS, %s', async (region, host) => {
    expect(await destination({ region, useFipsEndpoint: true })).toBe(`https://${host}/ota-tasks/t-1`);
  });

  it('is the same with and without dual-stack', async () => {
    expect(await destination({ region: 'eu-west-1', useDualstackEndpoint: true })).toBe(
      'https://api.iotmanagedintegrations.eu-west-1.api.aws/ota-tasks/t-1',
    );
  });

  it('is found from the environment', async () => {
    vi.stubEnv('AWS_REGION', 'ca-central-1');
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');

    expect(await destination({})).toBe(
      'https://api.iotmanagedintegrations-fips.ca-central-1.api.aws/ota-tasks/t-1',
    );
  });

  it('cannot be found without a region', async () => {
    expect((await rejection(destination({}))).message).toBe('Region is missing');
  });
});

describe('a custom endpoint', () => {
  it.each([
    ['https://proxy.example', 'https://proxy.example/ota-tasks/t-1'],
    ['https://proxy.example:8443/', 'https://proxy.example:8443/ota-tasks/t-1'],
    ['https://proxy.example/base/path', 'https://proxy.example/base/path/ota-tasks/t-1'],
  ])('%s is used as it is, its base path kept', async (endpoint, url) => {
    expect(await destination({ region: 'eu-west-1', endpoint })).toBe(url);
  });

  it('keeps its base path on the wire', async () => {
    await using api = await ApiServer.start();

    await api.client({ endpoint: `${api.url}/base` }).send(command());

    expect(api.only.url).toBe('/base/ota-tasks/t-1');
  });

  it.each([
    ['AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', 'AWS_ENDPOINT_URL'],
    ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SQS'],
  ])('is taken from %s before %s', async (name, other) => {
    vi.stubEnv(other, 'https://other.example');
    vi.stubEnv(name, 'https://variable.example/base');

    expect(await destination({ region: 'eu-west-1' })).toBe('https://variable.example/base/ota-tasks/t-1');
  });

  it('in the configuration goes before one in the environment', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'https://variable.example');

    expect(await destination({ region: 'eu-west-1', endpoint: 'https://configured.example' })).toBe(
      'https://configured.example/ota-tasks/t-1',
    );
  });

  it.each([
    ['the configuration', { endpoint: 'https://proxy.example' }, undefined],
    ['the environment', {}, 'https://proxy.example'],
  ])('from %s is refused together with FIPS', async (_, config, variable) => {
    vi.stubEnv('AWS_ENDPOINT_URL', variable);

    const error = await rejection(destination({ region: 'eu-west-1', useFipsEndpoint: true, ...config }));

    expect(error).toMatchObject({
      name: 'EndpointError',
      message: 'Invalid Configuration: FIPS and custom endpoint are not supported',
    });
  });
});
