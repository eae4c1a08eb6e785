/**
 * S3 as seen by an upload, over HTTP with the bucket in the path: PutObject, multipart uploads, GetObject. It verifies
 * every checksum in a request, and stores the bytes.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

type S3Action =
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload';

export interface S3Request {
  readonly action: S3Action;
  readonly bucket: string;
  readonly key: string;
  /** For UploadPart. */
  readonly part: number | undefined;
  readonly bytes: number;
}

/** `accept`, an S3 error, or a broken connection. */
export type S3Answer = 'accept' | 'reset' | { readonly status: number; readonly code: string };

export interface S3Server {
  readonly url: string;
  /** Its behaviour from now on; called for each request. */
  rule: (request: S3Request) => S3Answer;
  readonly requests: readonly S3Request[];
  /** Complete objects, by `bucket/key`. */
  readonly objects: ReadonlyMap<string, Buffer>;
  /** Number of uploads that are neither completed nor aborted. */
  readonly openUploads: number;
  close(): Promise<void>;
}

/** Minimum size of a part, except the last. */
const LEAST_PART_BYTES = 5 * 1_048_576;

class S3Fault extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Part {
  readonly body: Buffer;
  readonly sha256: string;
}

/** @param buckets the existing buckets. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const requests: S3Request[] = [];
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, { readonly name: string; readonly parts: Map<number, Part> }>();
  let lastUpload = 0;

  const carryOut = (request: S3Request, id: string, headers: IncomingMessage['headers'], body: Buffer) => {
    const name = `${request.bucket}/${request.key}`;
    const uploadOf = () => {
      const upload = uploads.get(id);
      if (upload?.name !== name) throw new S3Fault(404, 'NoSuchUpload');
      return upload;
    };
    switch (request.action) {
      case 'PutObject':
        checkChecksum(headers, body);
        objects.set(name, body);
        return { headers: { etag: etag(body), 'x-amz-checksum-sha256': sha256(body) } };
      case 'CreateMultipartUpload': {
        const next = `upload-${++lastUpload}`;
        uploads.set(next, { name, parts: new Map() });
        const { bucket, key } = request;
        return { xml: xmlOf('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: next }) };
      }
      case 'UploadPart':
        checkChecksum(headers, body);
        uploadOf().parts.set(request.part ?? 0, { body, sha256: sha256(body) });
        return { headers: { etag: etag(body), 'x-amz-checksum-sha256': sha256(body) } };
      case 'CompleteMultipartUpload': {
        const { parts } = uploadOf();
        const listed = partsOf(body.toString());
        const found = listed.map(({ number, etag: tag, checksum }, i) => {
          const part = parts.get(number);
          if (part === undefined || etag(part.body) !== tag || part.sha256 !== checksum)
            throw new S3Fault(400, 'InvalidPart', `part ${number}`);
          if (number !== i + 1) throw new S3Fault(400, 'InvalidPartOrder');
          if (i < listed.length - 1 && part.body.length < LEAST_PART_BYTES)
            throw new S3Fault(400, 'EntityTooSmall');
          return part.body;
        });
        if (found.length === 0) throw new S3Fault(400, 'MalformedXML');
        uploads.delete(id);
        objects.set(name, Buffer.concat(found));
        return {
          xml: xmlOf('CompleteMultipartUploadResult', { Key: request.key, ETag: `"x-${found.length}"` }),
        };
      }
      case 'AbortMultipartUpload':
        uploadOf();
        uploads.delete(id);
        return { status: 204 };
    }
  };

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(message.url ?? '', 'http://s3');
    const [bucket = '', ...rest] = pathname.slice(1).split('/').map(decodeURIComponent);
    const body = await buffer(message);
    const id = searchParams.get('uploadId');
    const part = searchParams.get('partNumber');
    const action = actionOf(message.method ?? '', searchParams);
    const bytes = body.length;
    const request = {
      action,
      bucket,
      key: rest.join('/'),
      part: part === null ? undefined : Number(part),
      bytes,
    };
    requests.push(request);
    const answer = server.rule(request);
    if (answer === 'reset') {
      message.socket.resetAndDestroy();
      return;
    }
    if (answer !== 'accept') throw new S3Fault(answer.status, answer.code);
    if (!buckets.includes(bucket)) throw new S3Fault(404, 'NoSuchBucket');
    const done: { status?: number; headers?: Record<string, string>; xml?: string } = carryOut(
      request,
      id ?? '',
      message.headers,
      body,
    );
    response.writeHead(done.status ?? 200, { ...known, ...done.headers }).end(done.xml ?? '');
  };

  const http = createServer((message, response) => {
    serve(message, response).catch((error: unknown) => {
      const {
        status,
        code,
        message: said,
      } = error instanceof S3Fault ? error : new S3Fault(500, 'InternalError', String(error));
      response.writeHead(status, known).end(xmlOf('Error', { Code: code, Message: said }));
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: S3Server = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    rule: () => 'accept',
    requests,
    objects,
    get openUploads() {
      return uploads.size;
    },
    close: async () => {
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

const known = { 'content-type': 'application/xml', 'x-amz-request-id': 's3-request', server: 'AmazonS3' };

function actionOf(method: string, query: URLSearchParams): S3Action {
  if (method === 'PUT') return query.has('uploadId') ? 'UploadPart' : 'PutObject';
  if (method === 'DELETE' && query.has('uploadId')) return 'AbortMultipartUpload';
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && query.has('uploadId')) return 'CompleteMultipartUpload';
  throw new S3Fault(501, 'NotImplemented', method);
}

/** @throws S3Fault without a correct checksum: these tests are about uploads that are verified. */
function checkChecksum(headers: IncomingMessage['headers'], body: Buffer): void {
  // Chunked bodies with a trailing checksum.
  if (headers['content-encoding'] === 'aws-chunked') throw new S3Fault(501, 'NotImplemented', 'aws-chunked');
  const given = headers['x-amz-checksum-sha256'];
  if (given === undefined) throw new S3Fault(400, 'InvalidRequest', 'no checksum');
  if (given !== sha256(body)) throw new S3Fault(400, 'BadDigest');
  if (Number(headers['content-length']) !== body.length) throw new S3Fault(400, 'IncompleteBody');
}

function partsOf(xml: string) {
  return [...xml.matchAll(/<Part>([\s\S]*?)<\/Part>/g)].map(([, inner = '']) => {
    const of = (tag: string): string =>
      new RegExp(`<${tag}>(.*?)</${tag}>`).exec(inner)?.[1]?.replaceAll('&quot;', '"') ?? '';
    return { number: Number(of('PartNumber')), etag: of('ETag'), checksum: of('ChecksumSHA256') };
  });
}

function xmlOf(root: string, fields: Readonly<Record<string, string>>): string {
  const inner = Object.entries(fields).map(
    ([name, value]) => `<${name}>${value.replaceAll('&', '&amp;')}</${name}>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${inner.join('')}</${root}>`;
}

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('base64');
const etag = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`;
