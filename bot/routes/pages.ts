/** Serves the built pages: the start page, the customer's chat, and the script that puts the chat on the bank's own pages. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import helmet, { type HelmetOptions } from 'helmet';
import type { Request, Response, Server } from 'restify';
import { answerJson } from '../../adapters/http.ts';

type Encoding = 'br' | 'gzip' | 'identity';

interface Body {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** One built file, ready to be sent in each of its encodings. */
interface PageFile {
  readonly type: string;
  readonly bodies: ReadonlyMap<Encoding, Body>;
}

/** The built pages, in memory: a few hundred kilobytes, by their path in the build. */
type Pages = ReadonlyMap<string, PageFile>;

export interface PageOptions {
  /** What `npm run build` made of `web/`. */
  readonly folder: string;
  /** The bank's own sites (`CHAT_ORIGINS`): they may show the chat in a frame. */
  readonly origins: readonly string[];
}

type Headers = (request: Request, response: Response) => void;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** How the build names the compressed forms of a file. */
const ENDINGS: readonly (readonly [Encoding, string])[] = [
  ['br', '.br'],
  ['gzip', '.gz'],
  ['identity', ''],
];

/** What the browser asks about each time, and what carries its content in its name. */
const ASK_AGAIN = 'no-cache';
const FOR_EVER = 'public, max-age=31536000, immutable';
/** A bank's page asks for a new `embed.js` after this long. */
const FOR_MINUTES = 'public, max-age=300';

/** The routes of the pages. Reads the pages once, at start. */
export function mountPages(server: Server, { folder, origins }: PageOptions): void {
  const pages = readPages(folder);
  const serve = (path: string, file: (request: Request) => string, headers: Headers, caching: string): void => {
    const handler = async (request: Request, response: Response): Promise<void> => {
      headers(request, response);
      answerFile(request, response, pages.get(file(request)), caching);
    };
    server.get(path, handler);
    server.head(path, handler);
  };
  const own = securityHeaders({ frameAncestors: ["'none'"] });
  const framed = securityHeaders({ frameAncestors: ["'self'", ...origins] });
  const chat: Headers = (request, response) => (isFramed(request) ? framed : own)(request, response);

  serve('/', () => 'start/index.html', own, ASK_AGAIN);
  serve('/chat', () => 'chat/index.html', chat, ASK_AGAIN);
  serve('/embed.js', () => 'embed.js', anySite, FOR_MINUTES);
  serve('/assets/*', (request) => urlOf(request).pathname.slice(1), own, FOR_EVER);
}

function readPages(folder: string): Pages {
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'));
  const served = paths.filter((path) => TYPES[extname(path)] !== undefined);
  return new Map(served.map((path) => [path, readPage(folder, path)]));
}

function readPage(folder: string, path: string): PageFile {
  const bodies = new Map<Encoding, Body>();
  for (const [encoding, ending] of ENDINGS) {
    const file = join(folder, path + ending);
    if (existsSync(file)) bodies.set(encoding, bodyOf(readFileSync(file)));
  }
  return { type: TYPES[extname(path)] ?? 'application/octet-stream', bodies };
}

function bodyOf(bytes: Buffer): Body {
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

function answerFile(request: Request, response: Response, file: PageFile | undefined, caching: string): void {
  const encoding = encodingFor(request, file);
  const body = file?.bodies.get(encoding);
  if (!file || !body) {
    answerMissing(response, caching);
    return;
  }
  response.setHeader('cache-control', caching);
  response.setHeader('vary', 'accept-encoding');
  response.setHeader('etag', body.etag);
  if (knows(request, body.etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  response.setHeader('content-type', file.type);
  response.setHeader('content-length', body.bytes.length);
  if (encoding !== 'identity') response.setHeader('content-encoding', encoding);
  response.writeHead(200);
  response.end(request.method === 'HEAD' ? undefined : body.bytes);
}

/** An old hashed name is gone for good; a page that is missing was never built. */
function answerMissing(response: Response, caching: string): void {
  const unbuilt = caching !== FOR_EVER;
  const error = unbuilt
    ? { code: 'pages_missing', message: 'The pages are not built. Run: npm run build' }
    : { code: 'not_found', message: 'There is nothing at this address.' };
  answerJson(response, unbuilt ? 503 : 404, { error });
}

/** The smallest form of the file that the browser reads. */
function encodingFor(request: Request, file: PageFile | undefined): Encoding {
  const accepted = new Map(
    String(request.headers['accept-encoding'] ?? '')
      .split(',')
      .map((item) =>
        item
          .trim()
          .toLowerCase()
          .split(/\s*;\s*q=/),
      )
      .map(([name = '', quality = '1']) => [name, Number(quality)] as const),
  );
  const reads = (name: Encoding): boolean => Boolean(file?.bodies.has(name) && (accepted.get(name) ?? 0) > 0);
  if (reads('br')) return 'br';
  return reads('gzip') ? 'gzip' : 'identity';
}

function knows(request: Request, etag: string): boolean {
  const known = String(request.headers['if-none-match'] ?? '').split(',');
  return known.some((item) => item.trim().replace(/^W\//, '') === etag);
}

function isFramed(request: Request): boolean {
  return urlOf(request).searchParams.get('embed') === '1';
}

function urlOf(request: Request): URL {
  return new URL(request.url ?? '/', 'http://lobby.invalid');
}

/** A page of Lobby's loads only what Lobby serves, and nothing inline. */
function securityHeaders({ frameAncestors }: { readonly frameAncestors: readonly string[] }): Headers {
  const self = ["'self'"];
  const none = ["'none'"];
  return withHelmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        connectSrc: self,
        baseUri: none,
        formAction: none,
        frameAncestors: [...frameAncestors],
      },
    },
    // `frame-ancestors` says the same, and can name the bank's sites.
    xFrameOptions: frameAncestors.includes("'none'") ? { action: 'deny' } : false,
  });
}

/** `embed.js` is loaded by the bank's pages, which are other sites. */
const anySite: Headers = withHelmet({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
  crossOriginResourcePolicy: { policy: 'cross-origin' },
});

function withHelmet(options: HelmetOptions): Headers {
  const set = helmet({ ...options, strictTransportSecurity: { includeSubDomains: false } } as HelmetOptions);
  return (request, response) => set(request, response, () => undefined);
}
