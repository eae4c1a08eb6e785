import { expect, test } from 'vitest';
import { effectiveSettings } from '../../src/check/settings.ts';
import { variables } from '../../src/config/variables.ts';

const secret = 'hunter2';

test('every setting is there, with its value or its default, and no secret', () => {
  const settings = effectiveSettings({
    QUEUE_URL: `https://user:${secret}@sqs.example/1/q?key=${secret}`,
    REDIS_URL: `rediss://user:${secret}@cache:6379/2`,
    RATE_LIMIT: '40',
    AWS_ENDPOINT_URL: `http://${secret}@proxy.example`,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_PROFILE: 'worker',
    NOTIFY_WEBHOOK_URL: `https://hooks.example/${secret}`,
    NOTIFY_WEBHOOK_SECRET: `whsec_${secret}`,
  });
  const of = (name: string) => settings.find((setting) => setting.name === name);
  expect(of('QUEUE_URL')).toEqual({ name: 'QUEUE_URL', value: 'https://sqs.example/1/q', set: true });
  expect(of('REDIS_URL')?.value).toBe('rediss://cache:6379/2');
  expect(of('RATE_LIMIT')).toEqual({ name: 'RATE_LIMIT', value: '40', set: true });
  expect(of('MAX_CONCURRENCY')).toEqual({ name: 'MAX_CONCURRENCY', value: '50', set: false });
  expect(of('OUTCOME_QUEUE_URL')).toEqual({ name: 'OUTCOME_QUEUE_URL', value: null, set: false });
  expect(of('NOTIFY_WEBHOOK_URL')?.value).toBe('https://hooks.example/…');
  expect(of('NOTIFY_WEBHOOK_SECRET')).toMatchObject({ value: 'a secret, which is not shown', set: true });
  expect(of('AWS_PROFILE')?.value).toBe('worker');
  expect(JSON.stringify(settings)).not.toContain(secret);
  const names = new Set(settings.map(({ name }) => name));
  for (const { name } of Object.values(variables)) expect(names).toContain(name);
});
