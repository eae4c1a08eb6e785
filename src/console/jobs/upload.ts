/**
 * A file uploaded with a form. The form's fields come first and are the request's body, so that a request is checked before
 * anything of its file is stored.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest, preValidationAsyncHookHandler } from 'fastify';
import { FILE_MODE } from '../../files/private.ts';
import { PageError } from '../pages/page-error.ts';
import { roundBytes } from './bytes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The file of a form, not read yet. */
    upload?: MultipartFile | undefined;
  }
}

const MOST_FIELDS = 40;
const FIELD_BYTES = 4_096;

/** @param mostBytes maximum size of a file. */
export function acceptUploads(app: FastifyInstance, mostBytes: number): void {
  void app.register(multipart, {
    limits: { files: 1, fields: MOST_FIELDS, fieldSize: FIELD_BYTES, fileSize: mostBytes, headerPairs: 50 },
  });
}

/** Before a route's own checks: the body must be a form, not too large, and its file must be the last part. */
export function readForm(mostBytes: number): preValidationAsyncHookHandler {
  return async (request) => {
    if (!request.isMultipart()) throw new PageError('Send a form with a file (multipart/form-data).', 415);
    // Allow for the form's parts besides the file.
    if (Number(request.headers['content-length'] ?? 0) > mostBytes + MOST_FIELDS * FIELD_BYTES)
      throw tooLarge(mostBytes);
    const body: Record<string, string> = Object.create(null);
    try {
      for await (const part of request.parts()) {
        if (part.type === 'file') {
          request.upload = part;
          break;
        }
        if (typeof part.value === 'string') body[part.fieldname] = part.value;
      }
    } catch (error) {
      throw uploadError(error, mostBytes);
    }
    request.body = body;
  };
}

/** Stores the file of a request. @throws PageError if there is none, or it is too large or truncated. */
export async function keepUpload(request: FastifyRequest, path: string, mostBytes: number): Promise<void> {
  const { upload } = request;
  if ((upload?.filename ?? '') === '' || upload === undefined) throw new PageError('Choose a file.');
  const { file } = upload;
  // The library would read on to the last byte, which may never come.
  file.once('limit', () => file.destroy(tooLarge(mostBytes)));
  try {
    if (!file.truncated) await pipeline(file, createWriteStream(path, { flags: 'wx', mode: FILE_MODE }));
  } catch (error) {
    throw uploadError(error, mostBytes);
  }
  if (file.truncated) throw tooLarge(mostBytes);
}

/** The file's name, reduced to what is valid here: letters, digits and a few signs. */
export function safeName(name: string | undefined): string {
  const safe = (name ?? '')
    .replace(/^.*[/\\]/s, '')
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[.-]+/, '');
  return `${safe.slice(-100) || 'file'}`;
}

export function tooLarge(mostBytes: number): PageError {
  return new PageError(
    `The file is larger than ${roundBytes(mostBytes)}: nothing was kept. Split it, or use \`jobs plan\` of the command line, which has no such limit.`,
    413,
  );
}

function uploadError(error: unknown, mostBytes: number): unknown {
  if (error instanceof PageError) return error;
  const { code } = error as { readonly code?: unknown };
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge(mostBytes);
  if (typeof code === 'string' && /^(FST_|ERR_STREAM_PREMATURE_CLOSE|ECONNRESET)/.test(code))
    return new PageError(`The form cannot be read to its end: nothing was kept. Send it again.`);
  if (error instanceof Error && /end of form|multipart|premature/i.test(error.message))
    return new PageError(`The upload was cut off: nothing was kept. Send it again.`);
  return error;
}
