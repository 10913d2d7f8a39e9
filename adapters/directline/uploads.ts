/** Files a customer sends: read off the wire within bounds, and believed to be only what their first bytes say. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Busboy } from '@fastify/busboy';
import { fileTypeFromBuffer } from 'file-type';
import { CallerGone, HttpError, parseJson } from '../http.ts';

/** How much a customer may send. */
export interface UploadLimits {
  readonly fileBytes: number;
  readonly files: number;
  /** Of all files of one conversation together. */
  readonly conversationBytes: number;
}

export const DEFAULT_UPLOADS: UploadLimits = {
  fileBytes: 5 * 1024 * 1024,
  files: 5,
  conversationBytes: 50 * 1024 * 1024,
};

/** What a bank's customer has reason to send, by the type its bytes show. */
const ACCEPTED: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'image/heic',
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
]);

/** Other names some systems give the same types. */
const ALIASES: Readonly<Record<string, string>> = { 'image/jpg': 'image/jpeg', 'image/heif': 'image/heic' };

const ACTIVITY_BYTES = 64 * 1024;
/** More than any file system gives; what is kept is shorter still. */
const LONGEST_NAME = 1_000;
const READ_WITHIN_MS = 60_000;

/** A file as it was sent. */
export interface ReceivedFile {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** A multipart upload, read and checked: the activity's JSON (if it came) and its files. */
export interface ReceivedUpload {
  readonly activity: unknown;
  readonly files: readonly ReceivedFile[];
}

/** Reads a multipart upload: a part `activity` with JSON and parts `file`. Anything beyond the limits refuses the whole. */
export async function readUpload(request: IncomingMessage, limits: UploadLimits): Promise<ReceivedUpload> {
  const parts = await readParts(request, limits);
  const described = parts.find(({ field }) => field === 'activity');
  const sent = parts.filter(({ field }) => field !== 'activity');
  if (sent.length === 0) throw new HttpError(400, 'no_file', 'The upload carries no file.');
  return {
    activity: described ? parseJson(described.bytes) : { type: 'message' },
    files: await Promise.all(sent.map(toFile)),
  };
}

/** Answers with a file so that a browser stores or draws it, and never runs it. */
export function answerFile(response: ServerResponse, { name, contentType, bytes }: ReceivedFile): void {
  const plain = name.replace(/[^\w.-]/g, '_');
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': bytes.length,
    'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escapeMore)}`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    // The bank's own page shows the picture, and that page is another origin.
    'cross-origin-resource-policy': 'cross-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-store',
  });
  response.end(bytes);
}

interface Part {
  readonly field: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

async function readParts(request: IncomingMessage, limits: UploadLimits): Promise<Part[]> {
  const parser = openParser(request, limits);
  const most = limits.files * limits.fileBytes + ACTIVITY_BYTES + 64 * 1024;
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooBig(limits);
  return await new Promise((resolve, reject) => {
    const parts: Part[] = [];
    let received = 0;
    const patience = setTimeout(
      () => fail(new HttpError(408, 'too_slow', 'The upload took too long.')),
      READ_WITHIN_MS,
    );
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    const stop = (): void => {
      clearTimeout(patience);
      request.unpipe(parser);
      request.off('data', weigh).off('close', gone).off('error', gone);
    };
    const weigh = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > most) fail(tooBig(limits));
    };
    const gone = (): void => {
      if (!request.complete) fail(new CallerGone());
    };
    parser.on('file', (field, stream, name, _encoding, contentType) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => fail(tooBig(limits)));
      stream.on('end', () => parts.push({ field, name: name ?? '', contentType, bytes: Buffer.concat(chunks) }));
      stream.on('error', () => fail(malformed()));
    });
    parser.on('field', (field, value, _long, cut, _encoding, contentType) => {
      if (cut) fail(new HttpError(413, 'too_large', 'A field of the upload is too long.'));
      else if (field === 'activity') parts.push({ field, name: '', contentType, bytes: Buffer.from(value) });
    });
    parser.on('filesLimit', () => fail(tooMany(limits)));
    parser.on('partsLimit', () => fail(tooMany(limits)));
    parser.on('fieldsLimit', () => fail(tooMany(limits)));
    parser.on('error', () => fail(malformed()));
    parser.on('finish', () => {
      stop();
      resolve(parts);
    });
    request.on('data', weigh).on('close', gone).on('error', gone);
    request.pipe(parser);
    if (request.destroyed) gone();
  });
}

function openParser(request: IncomingMessage, limits: UploadLimits): InstanceType<typeof Busboy> {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new HttpError(415, 'not_multipart', 'Send files as multipart/form-data.');
  }
  if (request.headers['content-encoding'] !== undefined) {
    throw new HttpError(415, 'compressed', 'Send the upload without Content-Encoding.');
  }
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': contentType },
      limits: {
        fieldNameSize: 100,
        fieldSize: ACTIVITY_BYTES,
        fields: 5,
        // One of the files is the activity itself, which clients send with a file name.
        files: limits.files + 1,
        fileSize: limits.fileBytes,
        parts: limits.files + 6,
        headerPairs: 20,
        headerSize: 8 * 1024,
      },
    });
  } catch {
    throw malformed();
  }
}

async function toFile({ name, contentType, bytes }: Part): Promise<ReceivedFile> {
  if (name.length > LONGEST_NAME) throw new HttpError(400, 'bad_file_name', 'The file’s name is too long.');
  if (bytes.length === 0) throw new HttpError(400, 'empty_file', 'The file is empty.');
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  if (!found || !ACCEPTED.has(found.mime)) {
    throw new HttpError(415, 'file_type', 'Only pictures, PDF, Word and Excel files can be sent.');
  }
  if ((ALIASES[contentType] ?? contentType) !== found.mime && !saysNothing(contentType)) {
    throw new HttpError(415, 'file_type_differs', 'The file is not what its type says it is.');
  }
  return { name: safeName(name, found.ext), contentType: found.mime, bytes };
}

function saysNothing(contentType: string): boolean {
  return contentType === '' || contentType === 'application/octet-stream' || contentType === 'text/plain';
}

/** A file name people recognise, without what could steer a folder, a header or the reading direction. */
export function safeName(given: string, extension: string): string {
  const name = given
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[\\/:*?"<>|]/g, '_')
    .replace(/^[.\s]+/, '')
    .trim();
  return name === '' || name === 'blob' ? `file.${extension}` : [...name].slice(-100).join('');
}

function escapeMore(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function tooBig({ fileBytes }: UploadLimits): HttpError {
  return new HttpError(413, 'file_too_large', `A file may have at most ${Math.floor(fileBytes / 1024)} KB.`);
}

function tooMany({ files }: UploadLimits): HttpError {
  return new HttpError(413, 'too_many_files', `A message may carry at most ${files} files.`);
}

function malformed(): HttpError {
  return new HttpError(400, 'bad_multipart', 'The upload is not well-formed multipart/form-data.');
}
