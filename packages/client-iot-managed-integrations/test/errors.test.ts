import { ServiceException } from '@smithy/core/client';
import { describe, expect, it } from 'vitest';
import {
  AccessDeniedException,
  ConflictException,
  GetOtaTaskCommand,
  InternalServerException,
  IoTManagedIntegrationsServiceException,
  ResourceNotFoundException,
  ThrottlingException,
  UpdateOtaTaskCommand,
  ValidationException,
} from '../src/index.ts';
import { type Answer, ApiServer, json, rejection, withoutAwsSettings } from './support.ts';

withoutAwsSettings();

async function errorOf(answer: Answer) {
  await using api = await ApiServer.start(answer);
  return await rejection(api.client().send(new UpdateOtaTaskCommand({ Identifier: 't-1' })));
}

const MODELLED = [
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  ResourceNotFoundException,
  ThrottlingException,
  ValidationException,
];

describe('modelled errors', () => {
  it.each([
    [403, 'AccessDeniedException', AccessDeniedException, 'client'],
    [409, 'ConflictException', ConflictException, 'client'],
    [500, 'InternalServerException', InternalServerException, 'server'],
    [404, 'ResourceNotFoundException', ResourceNotFoundException, 'client'],
    [429, 'ThrottlingException', ThrottlingException, 'client'],
    [400, 'ThrottlingException', ThrottlingException, 'client'],
    [400, 'ValidationException', ValidationException, 'client'],
  ])('%i %s comes as an instance of its class only', async (status, code, type, fault) => {
    const headers = { 'x-amzn-errortype': code, 'x-amzn-requestid': 'r-1' };

    const error = await errorOf(json(status, { Message: 'why' }, headers));

    expect(MODELLED.filter((candidate) => error instanceof candidate)).toEqual([type]);
    expect(error).toBeInstanceOf(IoTManagedIntegrationsServiceException);
    expect(error).toBeInstanceOf(ServiceException);
    expect(error).toMatchObject({ name: code, $fault: fault });
    expect(error.$metadata).toMatchObject({ httpStatusCode: status, requestId: 'r-1', attempts: 1 });
    expect(error.$retryable).toBeUndefined();
  });

  it('tell which resource was not found', async () => {
    const body = { Message: 'gone', ResourceId: 't-1', ResourceType: 'OtaTask' };

    const error = await errorOf(json(404, body, { 'x-amzn-errortype': 'ResourceNotFoundException' }));

    expect(error).toMatchObject({ message: 'gone', ResourceId: 't-1', ResourceType: 'OtaTask' });
  });

  it.each(['Message', 'message'])(
    'have the text of the body key %s in message, and no Message',
    async (key) => {
      const error = await errorOf(json(400, { [key]: 'why' }, { 'x-amzn-errortype': 'ValidationException' }));

      expect(error.message).toBe('why');
      expect(error.Message).toBeUndefined();
    },
  );

  it('come the same way from reads', async () => {
    await using api = await ApiServer.start(json(404, { code: 'ResourceNotFoundException' }));

    const error = await rejection(api.client().send(new GetOtaTaskCommand({ Identifier: 't-1' })));

    expect(error).toBeInstanceOf(ResourceNotFoundException);
  });

  it('can be constructed, for tests', () => {
    const error = new ThrottlingException({ message: 'slow down', $metadata: { httpStatusCode: 429 } });

    expect(error).toBeInstanceOf(IoTManagedIntegrationsServiceException);
    expect(error).toMatchObject({ name: 'ThrottlingException', $fault: 'client', message: 'slow down' });
  });
});

describe('the error code', () => {
  const header = { 'x-amzn-errortype': 'FromHeader' };

  it.each([
    ['the header before the body', json(400, { code: 'FromCode', __type: 'FromType' }, header), 'FromHeader'],
    ['code before __type', json(400, { code: 'FromCode', __type: 'FromType' }), 'FromCode'],
    ['__type at last', json(400, { __type: 'FromType' }), 'FromType'],
    ['no namespace', json(400, { __type: 'com.amazonaws.iotmanagedintegrations#FromType' }), 'FromType'],
    ['no suffix', json(400, {}, { 'x-amzn-errortype': 'FromHeader:http://internal/coral/' }), 'FromHeader'],
    ['neither', json(400, { code: 'aws.x#FromCode:http://internal/coral/' }), 'FromCode'],
  ])('is taken from the answer: %s', async (_, answer, name) => {
    expect(await errorOf(answer)).toMatchObject({ name });
  });

  it('finds the class also with a namespace and a suffix', async () => {
    const code = 'com.amazonaws.iotmanagedintegrations#ThrottlingException:http://internal/coral/';

    expect(await errorOf(json(429, {}, { 'x-amzn-errortype': code }))).toBeInstanceOf(ThrottlingException);
  });
});

describe('errors outside the model', () => {
  it.each([
    [403, 'ExpiredTokenException', 'client'],
    [503, 'ServiceUnavailable', 'server'],
    [410, 'LimitExceededException', 'client'],
  ])('%i %s comes as the base exception with the code as its name', async (status, code, fault) => {
    const error = await errorOf(json(status, { Message: 'why' }, { 'x-amzn-errortype': code }));

    expect(error).toBeInstanceOf(IoTManagedIntegrationsServiceException);
    expect(MODELLED.filter((candidate) => error instanceof candidate)).toEqual([]);
    expect(error).toMatchObject({ name: code, message: 'why', $fault: fault });
    expect(error.Message).toBeUndefined();
    expect(error.$metadata).toMatchObject({ httpStatusCode: status });
  });

  it.each([
    ['an empty object', json(500, {})],
    ['no body', { status: 500 }],
  ])('have the name Unknown when the answer is %s', async (_, answer) => {
    const error = await errorOf(answer);

    expect(error).toBeInstanceOf(IoTManagedIntegrationsServiceException);
    expect(error).toMatchObject({ name: 'Unknown', message: 'UnknownError', $fault: 'server' });
    expect(error.$metadata).toMatchObject({ httpStatusCode: 500 });
  });

  it.each([502, 503])('HTML with a %i comes as a SyntaxError that carries the status', async (status) => {
    const error = await errorOf({
      status,
      headers: { 'content-type': 'text/html' },
      body: '<html><body>Unavailable</body></html>',
    });

    expect(error.name).toBe('SyntaxError');
    expect(error).not.toBeInstanceOf(IoTManagedIntegrationsServiceException);
    expect(error.$metadata).toMatchObject({ httpStatusCode: status });
  });
});
