/** AWS's own client against S3 over HTTP. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Destination } from '../../../src/jobs/file-report/file-report.ts';
import { openBucket } from '../../../src/jobs/file-report/s3.ts';
import { type S3Answer, type S3Request, type S3Server, startS3 } from '../../../testing/s3/server.ts';

const MIB = 1_048_576;

let s3: S3Server;
beforeEach(async () => {
  s3 = await startS3(['reports']);
  onTestFinished(() => s3.close());
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDTEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key-of-tests');
  onTestFinished(() => void vi.unstubAllEnvs());
});

function open(bucket = 'reports'): Destination {
  const destination = openBucket(
    { bucket, prefix: 'fleet/j/' },
    { AWS_ENDPOINT_URL_S3: s3.url },
    { retryStrategy: once },
  );
  onTestFinished(() => destination.close());
  return destination;
}

/** The SDK's without its backoff. */
const once = {
  mode: 'standard',
  acquireInitialRetryToken: async () => token(0),
  refreshRetryTokenForRetry: async ({ getRetryCount }: { getRetryCount(): number }) => {
    if (getRetryCount() >= 2) throw new Error('no more');
    return token(getRetryCount() + 1);
  },
  recordSuccess: () => {},
};
const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/** So many bytes in chunks of 100 kB, none like another. */
async function* bytes(total: number, hash = createHash('sha256')): AsyncGenerator<Buffer> {
  for (let at = 0; at < total; at += 100_000) {
    const chunk = Buffer.alloc(Math.min(100_000, total - at), `${at} `);
    hash.update(chunk);
    yield chunk;
  }
}

const actions = (): string[] => s3.requests.map(({ action }) => action);
const failing =
  (action: S3Request['action'], answer: S3Answer, part?: number) =>
  (request: S3Request): S3Answer =>
    request.action === action && (part === undefined || request.part === part) ? answer : 'accept';

describe('a file in S3', () => {
  test.each([0, 1, 100_000, 8 * MIB])('of %i bytes is one object, sent at once', async (size) => {
    const hash = createHash('sha256');
    await open().put('report.csv', 'text/csv', bytes(size, hash));
    const object = s3.objects.get('reports/fleet/j/report.csv');
    expect(
      createHash('sha256')
        .update(object ?? 'x')
        .digest('hex'),
    ).toBe(hash.digest('hex'));
    expect(actions()).toEqual(['PutObject']);
  });

  test('that is larger goes in parts', async () => {
    const hash = createHash('sha256');
    await open().put('report.csv', 'text/csv', bytes(20 * MIB + 7, hash));
    const object = s3.objects.get('reports/fleet/j/report.csv');
    expect(object).toHaveLength(20 * MIB + 7);
    expect(
      createHash('sha256')
        .update(object ?? 'x')
        .digest('hex'),
    ).toBe(hash.digest('hex'));
    expect(actions().toSorted()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPart',
      'UploadPart',
    ]);
    expect(Math.max(...s3.requests.map((request) => request.bytes))).toBe(8 * MIB);
  });

  test('has a part sent again that failed', async () => {
    let failures = 1;
    s3.rule = (request) =>
      request.part === 2 && failures-- > 0 ? { status: 503, code: 'SlowDown' } : 'accept';
    await open().put('report.csv', 'text/csv', bytes(12 * MIB));
    expect(s3.objects.get('reports/fleet/j/report.csv')).toHaveLength(12 * MIB);
  });

  const cases: [string, (request: S3Request) => S3Answer, RegExp][] = [
    [
      'a part fails',
      failing('UploadPart', { status: 500, code: 'InternalError' }, 2),
      /S3 answered InternalError/,
    ],
    [
      'a connection breaks',
      failing('UploadPart', 'reset', 2),
      /S3 cannot be reached for s3:\/\/reports\/fleet\/j\/:/,
    ],
    [
      'it cannot be completed',
      failing('CompleteMultipartUpload', { status: 403, code: 'AccessDenied' }),
      /is denied: the credentials need s3:PutObject/,
    ],
  ];
  test.each(cases)('is not there at all when %s', async (_, rule, why) => {
    s3.rule = rule;
    await expect(open().put('report.csv', 'text/csv', bytes(12 * MIB))).rejects.toThrow(why);
    expect(s3.objects.size).toBe(0);
    expect(s3.openUploads).toBe(0);
    expect(actions().at(-1)).toBe('AbortMultipartUpload');
  });

  test('is not there at all when its source fails, whose error it is', async () => {
    const reason = new Error('the ledger is damaged');
    async function* broken() {
      yield* bytes(10 * MIB);
      throw reason;
    }
    await expect(open().put('report.csv', 'text/csv', broken())).rejects.toBe(reason);
    expect(s3.objects.size).toBe(0);
    expect(s3.openUploads).toBe(0);
  });

  test('needs a bucket', async () => {
    await expect(open('others').put('report.csv', 'text/csv', bytes(10))).rejects.toThrow(
      /the bucket of s3:\/\/others\/fleet\/j\/.* does not exist/,
    );
  });
});
