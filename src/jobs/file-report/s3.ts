/** Files reports in S3, as multipart uploads. */
import { Readable } from 'node:stream';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { customEndpoint } from '../../aws/endpoints.ts';
import { named } from '../../aws/foreign.ts';
import { clientDefaults, prepareClient } from '../../aws/sdk-client.ts';
import { connections, transport } from '../../aws/transport.ts';
import { CommandError } from '../../errors.ts';
import { explainS3Error } from './explain-s3.ts';
import type { Destination } from './file-report.ts';

/** Two parts are sent while the next one is read, so memory holds at most 24 MiB. S3 allows 10,000 parts: 78 GiB. */
const PART_BYTES = 8 * 1_048_576;
const PARTS_AT_ONCE = 2;
const CONNECT_TIMEOUT_MS = 5_000;
/** Timeout of one request that contains a part. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Each request is retried with the SDK's backoff, so that an upload of many parts is not lost because of one. */
const MAX_ATTEMPTS = 5;

export interface S3Place {
  readonly bucket: string;
  /** Prefix of all keys, ending in a slash. */
  readonly prefix: string;
}

/**
 * An object exists only when it is complete: the parts of a failed upload are removed with AbortMultipartUpload.
 * @param env for the variables of proxies and endpoints.
 */
export function openBucket(
  { bucket, prefix }: S3Place,
  env: Readonly<Record<string, string | undefined>>,
  overrides: S3ClientConfig = {},
): Destination {
  const { credentialDefaultProvider } = transport(PARTS_AT_ONCE, env);
  const client = new S3Client({
    credentialDefaultProvider,
    requestHandler: {
      ...connections(PARTS_AT_ONCE, env, CONNECT_TIMEOUT_MS),
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...clientDefaults,
    maxAttempts: MAX_ATTEMPTS,
    // The bucket may be in another region than the queues.
    followRegionRedirects: true,
    // Most S3 emulators have no host name for each bucket.
    ...(customEndpoint(env, 's3') !== undefined && { forcePathStyle: true }),
    ...overrides,
  });
  prepareClient(client);
  const place = `s3://${bucket}/${prefix}`;
  return {
    place,
    put: async (name, contentType, chunks) => {
      const source = new Source(chunks);
      const upload = new Upload({
        client,
        queueSize: PARTS_AT_ONCE,
        partSize: PART_BYTES,
        params: {
          Bucket: bucket,
          Key: `${prefix}${name}`,
          Body: Readable.from(source.read(), { objectMode: false }),
          ContentType: contentType,
          ChecksumAlgorithm: 'SHA256',
        },
      });
      try {
        await upload.done();
      } catch (error) {
        if (source.failed) throw source.reason;
        throw new CommandError(`The report cannot be filed: ${explainS3Error(named(error), place)}.`);
      }
    },
    close: () => client.destroy(),
  };
}

/**
 * Distinguishes a failure of the uploaded data from a failure of the upload. The uploader throws either, and drops its parts.
 */
class Source {
  failed = false;
  reason: unknown;
  readonly #chunks: AsyncIterable<Buffer>;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks;
  }

  async *read(): AsyncGenerator<Buffer, undefined> {
    try {
      for await (const chunk of this.#chunks) yield chunk;
    } catch (error) {
      this.failed = true;
      this.reason = error;
      throw error;
    }
  }
}
