/** Requests no decent client would send, each with the answers that are right. */

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { MalformedCase, Payload, Target } from './malformed.ts';

type Body = string | Buffer;
type Headers = Readonly<Record<string, string>>;

const BAD_REQUEST = [400];
const FORBIDDEN = [403];
const TOO_LARGE = [413];
const WRONG_TYPE = [415];
const WRONG_METHOD = [404, 405];

const DIRECT_LINE = '/v3/directline';
const JSON_TYPE: Headers = { 'Content-Type': 'application/json' };
const MESSAGE = '{"type":"message","text":"hello"}';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A request as it goes over the wire. Header values are written as they are. */
function http(target: Target, line: string, headers: Headers = {}, body: Body = ''): Buffer {
  const all: Headers = { Host: target.base.host, Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const length = bytes.length > 0 && !/^(?:content-length|transfer-encoding)$/im.test(Object.keys(all).join('\n'));
  const head = `${line} HTTP/1.1\r\n${lines.join('')}${length ? `Content-Length: ${bytes.length}\r\n` : ''}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });
const conversation = ({ conversationId }: Target) => `${DIRECT_LINE}/conversations/${conversationId}`;
const activities = (target: Target) => `${conversation(target)}/activities`;

/** A message posted into the visitor's own conversation with a good token: only what is given is wrong. */
function post(body: Body, headers: Headers = {}): MalformedCase['build'] {
  return (target) =>
    http(target, `POST ${activities(target)}`, { ...bearer(target.token), ...JSON_TYPE, ...headers }, body);
}

function get(path: (target: Target) => string, headers: (target: Target) => Headers = ({ token }) => bearer(token)) {
  return (target: Target) => http(target, `GET ${path(target)}`, headers(target));
}

/** Bytes under a good request line, host and token: for what is wrong with the framing. */
function framed(lines: readonly string[], body: Body = ''): MalformedCase['build'] {
  return (target) => {
    const head = [
      `POST ${activities(target)} HTTP/1.1`,
      `Host: ${target.base.host}`,
      'Connection: close',
      'Content-Type: application/json',
      `Authorization: Bearer ${target.token}`,
      ...lines,
    ];
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
  };
}

const raw =
  (text: string | ((target: Target) => string)): MalformedCase['build'] =>
  (target) =>
    Buffer.from(typeof text === 'string' ? text : text(target), 'latin1');

const each = <T>(
  list: readonly (readonly [name: string, ...rest: T[]])[],
  build: (...rest: T[]) => Omit<MalformedCase, 'name'>,
): MalformedCase[] => list.map(([name, ...rest]) => ({ name, ...build(...rest) }));

// --- What is not JSON, or not an activity ---------------------------------------------------------------------------------

const JSON_TEXTS = each<Body>(
  [
    ['JSON: nothing at all', ''],
    ['JSON: only spaces', '   '],
    ['JSON: cut after the colon', '{"type":'],
    ['JSON: cut inside a string', '{"type":"message","text":"hel'],
    ['JSON: one brace', '{'],
    ['JSON: a bracket too many', `${MESSAGE}]`],
    ['JSON: two values', `${MESSAGE}${MESSAGE}`],
    ['JSON: single quotes', "{'type':'message','text':'hello'}"],
    ['JSON: names without quotes', '{type:"message",text:"hello"}'],
    ['JSON: a comma too many', '{"type":"message","text":"hello",}'],
    ['JSON: a comment', '{"type":"message",/* hi */"text":"hello"}'],
    ['JSON: a bare word', 'hello'],
    ['JSON: NaN', '{"type":"message","text":"hello","value":NaN}'],
    ['JSON: Infinity', '{"type":"message","text":"hello","value":-Infinity}'],
    ['JSON: a hexadecimal number', '{"type":"message","text":"hello","value":0x10}'],
    ['JSON: a number that begins with 0', '{"type":"message","text":"hello","value":01}'],
    ['JSON: a line break in a string', '{"type":"message","text":"hel\nlo"}'],
    ['JSON: a bad escape', '{"type":"message","text":"\\x41"}'],
    ['JSON: half an escape', '{"type":"message","text":"\\u12"}'],
    ['JSON: a byte order mark', `\ufeff${MESSAGE}`],
    ['JSON: XML instead', '<xml><Content>hello</Content></xml>'],
    ['JSON: a form instead', 'type=message&text=hello'],
    ['activity: a string', '"hello"'],
    ['activity: a number', '5'],
    ['activity: true', 'true'],
    ['activity: null', 'null'],
    ['activity: a list', `[${MESSAGE}]`],
    ['activity: an empty object', '{}'],
    ['activity: an empty list', '[]'],
  ],
  (body) => ({ build: post(body), status: BAD_REQUEST }),
);

const FIELDS = each<unknown>(
  [
    ['field: no type', { text: 'hello' }],
    ['field: type is a number', { type: 5, text: 'hello' }],
    ['field: type is null', { type: null, text: 'hello' }],
    ['field: type is a list', { type: ['message'], text: 'hello' }],
    ['field: type nobody may send', { type: 'invoke', name: 'x' }],
    ['field: type of the transcript', { type: 'trace', text: 'hello' }],
    ['field: type unknown', { type: 'MESSAGE', text: 'hello' }],
    ['field: text is a number', { type: 'message', text: 5 }],
    ['field: text is null', { type: 'message', text: null }],
    ['field: text is an object', { type: 'message', text: { toString: 'hello' } }],
    ['field: text is a list', { type: 'message', text: ['hello'] }],
    ['field: text of 4,001 characters', { type: 'message', text: '长'.repeat(4_001) }],
    ['field: text of 80,000 characters', { type: 'message', text: 'a'.repeat(80_000) }],
    ['field: a message that says nothing', { type: 'message' }],
    ['field: a message with empty text', { type: 'message', text: '' }],
    ['field: an event without a name', { type: 'event', value: 1 }],
    ['field: an event whose name is a number', { type: 'event', name: 1 }],
    ['field: a name of 10,000 characters', { type: 'event', name: 'n'.repeat(10_000) }],
    ['field: lobby/seen without a value', { type: 'event', name: 'lobby/seen' }],
    ['field: lobby/seen with text', { type: 'event', name: 'lobby/seen', value: { seq: '1' } }],
    ['field: lobby/seen below zero', { type: 'event', name: 'lobby/seen', value: { seq: -1 } }],
    ['field: lobby/seen with a fraction', { type: 'event', name: 'lobby/seen', value: { seq: 1.5 } }],
    ['field: lobby/seen beyond all numbers', { type: 'event', name: 'lobby/seen', value: { seq: 1e300 } }],
    ['field: valueType is a number', { type: 'message', text: 'hello', valueType: 7 }],
    ['field: code is an object', { type: 'endOfConversation', code: {} }],
    ['field: replyToId is a list', { type: 'message', text: 'hello', replyToId: [] }],
    ['field: replyToId is long', { type: 'message', text: 'hello', replyToId: 'r'.repeat(5_000) }],
    ['field: localTimestamp is a number', { type: 'message', text: 'hello', localTimestamp: 1_700_000_000_000 }],
    ['field: localTimezone is an object', { type: 'message', text: 'hello', localTimezone: {} }],
    ['field: channelData is text', { type: 'message', text: 'hello', channelData: 'x' }],
    ['field: channelData is null', { type: 'message', text: 'hello', channelData: null }],
    ['field: clientActivityID is a number', { type: 'message', text: 'hello', channelData: { clientActivityID: 1 } }],
    ['field: clientActivityID is empty', { type: 'message', text: 'hello', channelData: { clientActivityID: '' } }],
    ['field: idempotencyKey is an object', { type: 'message', text: 'hello', channelData: { idempotencyKey: {} } }],
    [
      'field: idempotencyKey is long',
      { type: 'message', text: 'hi', channelData: { idempotencyKey: 'k'.repeat(300) } },
    ],
    ['field: postBack is text', { type: 'message', text: 'hello', channelData: { postBack: 'true' } }],
    ['field: messageBack is text', { type: 'message', text: 'hello', channelData: { messageBack: 'x' } }],
    ['field: attachmentSizes below zero', { type: 'message', text: 'hi', channelData: { attachmentSizes: [-1] } }],
    ['field: attachments is an object', { type: 'message', text: 'hello', attachments: {} }],
    ['field: attachments of nothing', { type: 'message', text: 'hello', attachments: [null] }],
    ['field: an attachment inside the JSON', { type: 'message', attachments: [{ contentType: 'image/png' }] }],
    ['field: 1,000 attachments', { type: 'message', attachments: Array(1_000).fill({ contentType: 'image/png' }) }],
    ['field: reactions are text', { type: 'messageReaction', reactionsAdded: 'like' }],
    ['field: 1,000 reactions', { type: 'messageReaction', reactionsAdded: Array(1_000).fill({ type: 'like' }) }],
  ],
  (activity) => ({ build: post(JSON.stringify(activity)), status: BAD_REQUEST }),
);

const NAMES = each<Body>(
  [
    ['names: type twice, the second wrong', '{"type":"message","text":"hello","type":"invoke"}'],
    ['names: text twice, the second a number', '{"type":"message","text":"hello","text":5}'],
    ['names: __proto__', '{"type":"message","text":"hello","__proto__":{"admin":true}}'],
    ['names: __proto__ written with escapes', '{"type":"message","text":"hello","\\u005f_proto__":{"admin":true}}'],
    ['names: __proto__ deep in value', '{"type":"message","value":{"a":[{"__proto__":{"admin":true}}]}}'],
    ['names: __proto__ in channelData', '{"type":"message","text":"hello","channelData":{"__proto__":{"postBack":1}}}'],
    ['names: NUL in a name', '{"type":"message","value":{"a\\u0000b":1}}'],
    ['names: half a surrogate pair in a name', '{"type":"message","value":{"\\ud800":1}}'],
  ],
  (body) => ({ build: post(body), status: BAD_REQUEST }),
);

const deep = (open: string, close: string, levels: number, inside = '1') =>
  `{"type":"message","text":"hello","value":${open.repeat(levels)}${inside}${close.repeat(levels)}}`;

const DEPTHS = each<Body>(
  [
    ['depth: 10,000 lists', deep('[', ']', 10_000)],
    ['depth: 10,000 objects', deep('{"a":', '}', 10_000)],
    ['depth: lists and objects by turns', deep('[{"a":', '}]', 5_000)],
    ['depth: 33 levels', deep('[', ']', 33)],
    ['depth: 100,000 brackets never closed', '['.repeat(100_000)],
    ['depth: 40,000 objects never closed', '{"a":'.repeat(40_000)],
    [
      'depth: 10,000 lists in channelData',
      `{"type":"message","channelData":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    ],
  ],
  (body) => ({ build: post(body), status: BAD_REQUEST }),
);

const text = (bytes: readonly number[]) =>
  Buffer.concat([Buffer.from('{"type":"message","text":"a'), Buffer.from(bytes), Buffer.from('b"}')]);

const CHARACTERS = each<Body>(
  [
    ['characters: \\u0000', '{"type":"message","text":"a\\u0000b"}'],
    ['characters: a raw NUL', text([0])],
    ['characters: a raw escape', text([0x1b])],
    ['characters: \\ud800 alone', '{"type":"message","text":"a\\ud800b"}'],
    ['characters: \\udc00 alone', '{"type":"message","text":"a\\udc00b"}'],
    ['characters: a pair the wrong way round', '{"type":"message","text":"\\udc00\\ud800"}'],
    ['characters: \\ud83d at the end', '{"type":"message","text":"hello\\ud83d"}'],
    ['characters: \\u0000 deep in value', '{"type":"message","value":{"a":[{"b":"\\u0000"}]}}'],
    [
      'characters: \\ud800 in the idempotency key',
      '{"type":"message","text":"a","channelData":{"idempotencyKey":"\\ud800"}}',
    ],
    ['characters: the byte FF', text([0xff])],
    ['characters: a lone continuation byte', text([0x80])],
    ['characters: a sequence that is cut', text([0xe4, 0xbd])],
    ['characters: an overlong slash', text([0xc0, 0xaf])],
    ['characters: a surrogate as UTF-8', text([0xed, 0xa0, 0x80])],
    ['characters: beyond U+10FFFF', text([0xf4, 0x90, 0x80, 0x80])],
    ['characters: UTF-16', Buffer.from(MESSAGE, 'utf16le')],
    ['characters: GBK', Buffer.from('{"type":"message","text":"\xc4\xe3\xba\xc3"}', 'latin1')],
  ],
  (body) => ({ build: post(body), status: BAD_REQUEST }),
);

// --- Bodies: size, encoding, content type ----------------------------------------------------------------------------------

const MEGABYTE = 1024 * 1024;
const chunk = (bytes: Body) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]);
const chunked = (count: number, size: number) =>
  Buffer.concat([...Array.from({ length: count }, () => chunk('x'.repeat(size))), Buffer.from('0\r\n\r\n')]);

const BODIES: readonly MalformedCase[] = [
  {
    name: 'size: 10 MB announced',
    build: post(MESSAGE, { 'Content-Length': String(10 * MEGABYTE) }),
    status: TOO_LARGE,
  },
  { name: 'size: 10 TB announced', build: post(MESSAGE, { 'Content-Length': '10995116277760' }), status: TOO_LARGE },
  {
    name: 'size: 300 KB sent',
    build: post(JSON.stringify({ type: 'message', value: 'x'.repeat(300 * 1024) })),
    status: TOO_LARGE,
  },
  { name: 'size: 300 KB of spaces', build: post(' '.repeat(300 * 1024)), status: TOO_LARGE },
  {
    name: 'size: 1 MB in chunks',
    build: framed(['Transfer-Encoding: chunked'], chunked(16, 64 * 1024)),
    status: TOO_LARGE,
  },
  {
    name: 'size: 1 MB in chunks of 100 bytes',
    build: framed(['Transfer-Encoding: chunked'], chunked(10_486, 100)),
    status: TOO_LARGE,
  },
  {
    name: 'size: 300,000 names',
    build: post(`{${Array.from({ length: 30_000 }, (_, at) => `"n${at}":1`).join()}}`),
    status: [400, 413],
  },
  ...each<Body | string>(
    [
      ['encoding: gzip announced, not gzip', 'gzip', MESSAGE],
      ['encoding: gzip', 'gzip', gzipSync(MESSAGE)],
      ['encoding: broken gzip', 'gzip', gzipSync(MESSAGE).subarray(0, 20)],
      ['encoding: a gzip of 50 MB', 'gzip', gzipSync(Buffer.alloc(50 * MEGABYTE)).subarray(0, 60_000)],
      ['encoding: gzip twice', 'gzip, gzip', gzipSync(gzipSync(MESSAGE))],
      ['encoding: deflate', 'deflate', MESSAGE],
      ['encoding: br', 'br', MESSAGE],
      ['encoding: compress', 'compress', MESSAGE],
      ['encoding: unknown', 'x-lobby', MESSAGE],
      ['encoding: a list with identity', 'identity, gzip', MESSAGE],
    ],
    (encoding = '', body = '') => ({ build: post(body, { 'Content-Encoding': String(encoding) }), status: WRONG_TYPE }),
  ),
  { name: 'encoding: gzip without saying so', build: post(gzipSync(MESSAGE)), status: BAD_REQUEST },
  ...each<string>(
    [
      ['content type: text', 'text/plain'],
      ['content type: a form', 'application/x-www-form-urlencoded'],
      ['content type: XML', 'application/xml'],
      ['content type: multipart', 'multipart/form-data; boundary=x'],
      ['content type: UTF-16', 'application/json; charset=utf-16'],
      ['content type: GBK', 'application/json; charset=gbk'],
      ['content type: empty', ''],
      ['content type: nonsense', ';;;///'],
      ['content type: of 10,000 characters', `application/${'j'.repeat(10_000)}`],
    ],
    (type) => ({ build: post(MESSAGE, { 'Content-Type': type ?? '' }), status: WRONG_TYPE }),
  ),
  {
    name: 'content type: none',
    build: (target) => http(target, `POST ${activities(target)}`, bearer(target.token), MESSAGE),
    status: WRONG_TYPE,
  },
];

// --- Who is asking ----------------------------------------------------------------------------------------------------------

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The token with its header or claims changed, and the signature it had. */
function forged(token: string, header: object, claims: object): string {
  const [first = '', second = '', signature = ''] = token.split('.');
  const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
  return [base64url({ ...decoded(first), ...header }), base64url({ ...decoded(second), ...claims }), signature].join(
    '.',
  );
}

const withToken =
  (make: (target: Target) => string): MalformedCase['build'] =>
  (target) =>
    http(target, `POST ${activities(target)}`, { ...JSON_TYPE, Authorization: make(target) }, MESSAGE);

const TOKENS: readonly MalformedCase[] = [
  {
    name: 'token: none',
    build: (target) => http(target, `POST ${activities(target)}`, JSON_TYPE, MESSAGE),
    status: [401],
  },
  ...each<(target: Target) => string>(
    [
      ['token: an empty header', () => ''],
      ['token: Bearer and nothing', () => 'Bearer'],
      ['token: Bearer and a space', () => 'Bearer '],
      ['token: Basic', () => `Basic ${Buffer.from('wei:demo').toString('base64')}`],
      ['token: without a scheme', ({ token }) => token],
      ['token: another scheme', ({ token }) => `Token ${token}`],
    ],
    (make = () => '') => ({ build: withToken(make), status: [401, 403] }),
  ),
  ...each<(target: Target) => string>(
    [
      ['token: a word', () => 'hello'],
      ['token: two dots', () => '..'],
      ['token: four parts', ({ token }) => `${token}.x`],
      ['token: cut in half', ({ token }) => token.slice(0, token.length / 2)],
      ['token: without its last character', ({ token }) => token.slice(0, -1)],
      ['token: without its signature', ({ token }) => token.slice(0, token.lastIndexOf('.') + 1)],
      ['token: with another signature', ({ token }) => `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(43)}`],
      [
        'token: with the signature of another token',
        ({ token, otherToken }) => token.replace(/[^.]+$/, otherToken.split('.')[2] ?? ''),
      ],
      ['token: for another user', ({ token }) => forged(token, {}, { user: 'dl_admin' })],
      [
        'token: for another conversation',
        ({ token, otherConversationId }) => forged(token, {}, { conv: otherConversationId }),
      ],
      ['token: expired long ago', ({ token }) => forged(token, {}, { exp: 1 })],
      ['token: that never expires', ({ token }) => forged(token, {}, { exp: 1e12 })],
      ['token: not yet valid', ({ token }) => forged(token, {}, { nbf: 1e11 })],
      ['token: of another issuer', ({ token }) => forged(token, {}, { iss: 'https://login.botframework.com' })],
      ['token: alg none', ({ token }) => forged(token, { alg: 'none' }, {})],
      ['token: alg none without a signature', ({ token }) => forged(token, { alg: 'none' }, {}).replace(/[^.]+$/, '')],
      ['token: alg RS256', ({ token }) => forged(token, { alg: 'RS256' }, {})],
      ['token: another key id', ({ token }) => forged(token, { kid: '../../etc/passwd' }, {})],
      ['token: its own key', ({ token }) => forged(token, { jwk: { kty: 'oct', k: 'AA' } }, {})],
      ['token: critical extensions', ({ token }) => forged(token, { crit: ['exp'] }, {})],
      ['token: the header is not JSON', ({ token }) => token.replace(/^[^.]+/, 'e30x')],
      ['token: claims that are a list', ({ token }) => token.split('.').with(1, base64url([])).join('.')],
      ['token: of another conversation', ({ otherToken }) => otherToken],
    ],
    (make = () => '') => ({ build: withToken((target) => `Bearer ${make(target)}`), status: FORBIDDEN }),
  ),
  { name: 'token: 100 KB', build: withToken(() => `Bearer ${'A'.repeat(100 * 1024)}`), status: [431] },
  {
    name: 'token: a control character in it',
    build: withToken(({ token }) => `Bearer ${token}\u0001`),
    status: [400, 403],
  },
  {
    name: 'token: in the query instead',
    build: get(
      (target) => `${activities(target)}?token=${target.token}`,
      () => ({}),
    ),
    status: [401],
  },
  {
    name: 'token: two, the first wrong',
    build: raw((target) => {
      const tokens = `Authorization: Bearer wrong\r\nAuthorization: Bearer ${target.token}`;
      return `GET ${activities(target)} HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n${tokens}\r\n\r\n`;
    }),
    status: [400, 403],
  },
  {
    name: 'secret: missing',
    build: (target) => http(target, `POST ${DIRECT_LINE}/tokens/generate`, JSON_TYPE, '{}'),
    status: [401, 403],
  },
  {
    name: 'secret: a guess',
    build: (target) => http(target, `POST ${DIRECT_LINE}/tokens/generate`, { ...bearer('secret'), ...JSON_TYPE }, '{}'),
    status: FORBIDDEN,
  },
  {
    name: 'secret: a token instead',
    build: (target) =>
      http(target, `POST ${DIRECT_LINE}/tokens/generate`, { ...bearer(target.token), ...JSON_TYPE }, '{}'),
    status: FORBIDDEN,
  },
  {
    name: 'refresh: without a token',
    build: (target) => http(target, `POST ${DIRECT_LINE}/tokens/refresh`),
    status: [401],
  },
  {
    name: 'refresh: with half a token',
    build: (target) => http(target, `POST ${DIRECT_LINE}/tokens/refresh`, bearer(target.token.slice(0, 80))),
    status: FORBIDDEN,
  },
  {
    name: 'refresh: with a body that is not JSON',
    build: (target) =>
      http(target, `POST ${DIRECT_LINE}/tokens/refresh`, { ...bearer(target.token), ...JSON_TYPE }, '{'),
    status: BAD_REQUEST,
  },
  {
    name: 'start: without a token',
    build: (target) => http(target, `POST ${DIRECT_LINE}/conversations`, JSON_TYPE, '{}'),
    status: [401],
  },
  {
    name: 'start: with a body that is not JSON',
    build: (target) =>
      http(target, `POST ${DIRECT_LINE}/conversations`, { ...bearer(target.token), ...JSON_TYPE }, '{"user":'),
    status: BAD_REQUEST,
  },
  {
    name: 'origin: a page of a foreign site',
    build: post(MESSAGE, { Origin: 'https://evil.example' }),
    status: FORBIDDEN,
  },
  { name: 'origin: null', build: post(MESSAGE, { Origin: 'null' }), status: FORBIDDEN },
  { name: 'origin: nonsense', build: post(MESSAGE, { Origin: 'not an origin' }), status: FORBIDDEN },
];

const OTHERS = each<(target: Target) => string>(
  [
    [
      'other conversation: read',
      ({ otherConversationId }) => `GET ${DIRECT_LINE}/conversations/${otherConversationId}/activities`,
    ],
    [
      'other conversation: reconnect',
      ({ otherConversationId }) => `GET ${DIRECT_LINE}/conversations/${otherConversationId}`,
    ],
    [
      'other conversation: a file',
      ({ otherConversationId }) =>
        `GET ${DIRECT_LINE}/conversations/${otherConversationId}/uploads/AAAAAAAAAAAAAAAAAAAAAA?s=1`,
    ],
    [
      'other conversation: one that does not exist',
      () => `GET ${DIRECT_LINE}/conversations/AAAAAAAAAAAAAAAAAAAAAA/activities`,
    ],
    ['other conversation: an id like SQL', () => `GET ${DIRECT_LINE}/conversations/'%20or%20'1'='1/activities`],
    ['other conversation: undefined', () => `GET ${DIRECT_LINE}/conversations/undefined/activities`],
    [
      'other conversation: an id of 5,000 characters',
      () => `GET ${DIRECT_LINE}/conversations/${'a'.repeat(5_000)}/activities`,
    ],
  ],
  (line = () => '') => ({ build: (target) => http(target, line(target), bearer(target.token)), status: [403, 404] }),
).concat([
  {
    name: 'other conversation: post',
    build: (target) =>
      http(
        target,
        `POST ${DIRECT_LINE}/conversations/${target.otherConversationId}/activities`,
        { ...bearer(target.token), ...JSON_TYPE },
        MESSAGE,
      ),
    status: FORBIDDEN,
  },
  {
    name: 'file: a signature that is none',
    build: get((target) => `${conversation(target)}/uploads/AAAAAAAAAAAAAAAAAAAAAA?s=99999999999.x.y`),
    status: [403, 404],
  },
]);

// --- Watermarks, paths, methods ----------------------------------------------------------------------------------------------

const WATERMARKS = each<string>(
  [
    ['watermark: below zero', '-1'],
    ['watermark: NaN', 'NaN'],
    ['watermark: a word', 'undefined'],
    ['watermark: a fraction', '1.5'],
    ['watermark: an exponent', '1e3'],
    ['watermark: hexadecimal', '0x1'],
    ['watermark: a huge number', '9'.repeat(400)],
    ['watermark: spaces', '%20%20'],
    ['watermark: full-width digits', '%EF%BC%91'],
    ['watermark: NUL', '%00'],
    ['watermark: broken percent signs', '%zz%'],
    ['watermark: a conversation id', 'AAAAAAAAAAAAAAAAAAAAAA|0000001'],
    ['watermark: like SQL', "0'%20or%20'1'='1"],
  ],
  (watermark) => ({ build: get((target) => `${activities(target)}?watermark=${watermark}`), status: BAD_REQUEST }),
).concat([
  {
    name: 'watermark: reconnect below zero',
    build: get((target) => `${conversation(target)}?watermark=-1`),
    status: BAD_REQUEST,
  },
  {
    name: 'watermark: reconnect with a word',
    build: get((target) => `${conversation(target)}?watermark=abc`),
    status: BAD_REQUEST,
  },
  {
    name: 'watermark: reconnect with a huge number',
    build: get((target) => `${conversation(target)}?watermark=${'9'.repeat(99)}`),
    status: BAD_REQUEST,
  },
]);

const PATHS = each<string>(
  [
    ['path: nothing there', '/v3/directline/nothing'],
    ['path: only the prefix', '/v3/directline'],
    ['path: another version', '/v4/directline/conversations'],
    ['path: another service', '/wp-login.php'],
    ['path: upwards', '/v3/directline/../../etc/passwd'],
    ['path: upwards in percent signs', '/v3/directline/%2e%2e/%2e%2e/etc/passwd'],
    ['path: upwards among the assets', '/assets/..%2f..%2f..%2fpackage.json'],
    ['path: backslashes', '/v3\\directline\\conversations'],
    ['path: two slashes', '//v3//directline//conversations//x//activities'],
    ['path: a semicolon', '/v3/directline/conversations;x=1/a/activities'],
  ],
  (path) => ({ build: get(() => path ?? ''), status: [400, 403, 404] }),
).concat(
  each<string>(
    [
      ['path: a broken percent sign', '%zz'],
      ['path: a percent sign at the end', '%'],
      ['path: half a sequence', '%e4%bd'],
      ['path: an overlong slash', '%c0%af'],
      ['path: NUL', '%00'],
      ['path: a line break', '%0d%0aX-Evil:%201'],
      ['path: a surrogate as UTF-8', '%ed%a0%80'],
    ],
    (id) => ({ build: get(() => `${DIRECT_LINE}/conversations/${id}/activities`), status: [400, 403, 404] }),
  ),
  [
    { name: 'path: 100 KB', build: get(() => `${DIRECT_LINE}/${'a'.repeat(100 * 1024)}`), status: [414, 431] },
    {
      name: 'query: 100 KB',
      build: get((target) => `${activities(target)}?watermark=${'1'.repeat(100 * 1024)}`),
      status: [414, 431],
    },
    {
      name: 'path: a space',
      build: raw((target) => `GET /v3/direct line HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n\r\n`),
      status: BAD_REQUEST,
    },
    {
      name: 'path: raw bytes',
      build: raw((target) => `GET /v3/\xe4\xbd\xa0 HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n\r\n`),
      status: [400, 404],
    },
    {
      name: 'path: none',
      build: raw((target) => `GET  HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n\r\n`),
      status: BAD_REQUEST,
    },
    {
      name: 'path: of another host',
      build: raw(
        (target) =>
          `GET http://evil.example/v3/directline/x HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n\r\n`,
      ),
      status: [400, 404],
    },
    ...each<string>(
      [
        ['path: an absolute address that is none', 'http://[::bad/v3/directline'],
        ['path: two slashes and no host', '//['],
        ['path: a port that is none', '//x:99999999/v3'],
        ['path: only a question mark', '?'],
        ['path: only a fragment', '#'],
      ],
      (path) => ({ build: get(() => path ?? ''), status: [400, 404] }),
    ),
    {
      name: 'path: a star',
      build: raw((target) => `GET * HTTP/1.1\r\nHost: ${target.base.host}\r\nConnection: close\r\n\r\n`),
      status: [400, 404],
    },
  ],
);

const METHODS: readonly MalformedCase[] = [
  ...each<string>(
    [
      ['method: PUT', 'PUT'],
      ['method: PATCH', 'PATCH'],
      ['method: DELETE', 'DELETE'],
      ['method: PROPFIND', 'PROPFIND'],
      ['method: TRACE', 'TRACE'],
    ],
    (method) => ({
      build: (target) => http(target, `${method} ${activities(target)}`, bearer(target.token)),
      status: [404, 405],
    }),
  ),
  {
    name: 'method: GET where a token is made',
    build: get(() => `${DIRECT_LINE}/tokens/generate`),
    status: WRONG_METHOD,
  },
  {
    name: 'method: GET where a conversation begins',
    build: get(() => `${DIRECT_LINE}/conversations`),
    status: WRONG_METHOD,
  },
  {
    name: 'method: POST where one reconnects',
    build: (target) => http(target, `POST ${conversation(target)}`, bearer(target.token)),
    status: WRONG_METHOD,
  },
  {
    name: 'method: in small letters',
    build: (target) => http(target, `post ${activities(target)}`, bearer(target.token)),
    status: BAD_REQUEST,
  },
  {
    name: 'method: unknown',
    build: (target) => http(target, `SAY ${activities(target)}`, bearer(target.token)),
    status: BAD_REQUEST,
  },
  {
    name: 'method: CONNECT',
    build: raw('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'),
    status: [400, 404, 405],
    mayBeCut: true,
  },
];

// --- The request itself ---------------------------------------------------------------------------------------------------------

const FRAMING: readonly MalformedCase[] = [
  { name: 'framing: noise', build: () => randomBytes(2_000), status: BAD_REQUEST },
  {
    name: 'framing: TLS on a plain port',
    build: () => Buffer.from(`1603010200010001fc0303${'00'.repeat(400)}`, 'hex'),
    status: BAD_REQUEST,
  },
  { name: 'framing: HTTP/2', build: raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), status: [400, 505] },
  { name: 'framing: an unknown version', build: raw('GET / HTTP/9.9\r\nHost: x\r\n\r\n'), status: [400, 505] },
  { name: 'framing: HTTP/0.9', build: raw('GET /v3/directline/x\r\n\r\n'), status: [400, 404, 505] },
  { name: 'framing: only a colon', build: raw(':\r\n\r\n'), status: BAD_REQUEST },
  {
    name: 'framing: no Host',
    build: raw('GET /v3/directline/x HTTP/1.1\r\nConnection: close\r\n\r\n'),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a Host that is no host',
    build: get(conversation, ({ token }) => ({ ...bearer(token), Host: 'a b"<c>' })),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a Host with a space, at the page',
    build: get(
      () => '/chat',
      () => ({ Host: 'a b' }),
    ),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a Host with a bracket, at an address that is none',
    build: get(
      () => '/nothing',
      () => ({ Host: '[' }),
    ),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: an empty Host',
    build: get(conversation, ({ token }) => ({ ...bearer(token), Host: '' })),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a header without a colon',
    build: framed(['nonsense', 'Content-Length: 2'], '{}'),
    status: BAD_REQUEST,
  },
  { name: 'framing: a space before the colon', build: framed(['Content-Length : 2'], '{}'), status: BAD_REQUEST },
  { name: 'framing: NUL in a header', build: framed(['X-Odd: a\0b', 'Content-Length: 2'], '{}'), status: BAD_REQUEST },
  {
    name: 'framing: a header of 100 KB',
    build: framed([`X-Odd: ${'a'.repeat(100 * 1024)}`, 'Content-Length: 2'], '{}'),
    status: [431],
  },
  {
    name: 'framing: 5,000 headers',
    build: framed([...Array.from({ length: 5_000 }, (_, at) => `X-${at}: 1`), 'Content-Length: 2'], '{}'),
    status: [431],
  },
  { name: 'framing: a length below zero', build: framed(['Content-Length: -1'], MESSAGE), status: BAD_REQUEST },
  { name: 'framing: a length that is a word', build: framed(['Content-Length: many'], MESSAGE), status: BAD_REQUEST },
  {
    name: 'framing: a length beyond all numbers',
    build: framed([`Content-Length: ${'9'.repeat(40)}`], MESSAGE),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: two lengths',
    build: framed(['Content-Length: 2', 'Content-Length: 33'], MESSAGE),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a length and chunks',
    build: framed(['Content-Length: 33', 'Transfer-Encoding: chunked'], MESSAGE),
    status: BAD_REQUEST,
  },
  { name: 'framing: a length that is too short', build: framed(['Content-Length: 10'], MESSAGE), status: BAD_REQUEST },
  {
    name: 'framing: a length that is too long, then gone',
    build: (target) => ({
      pieces: [
        http(
          target,
          `POST ${activities(target)}`,
          { ...bearer(target.token), ...JSON_TYPE, 'Content-Length': '900' },
          MESSAGE,
        ),
      ],
      hangUp: true,
    }),
    status: [400, 408],
    mayBeCut: true,
  },
  {
    name: 'framing: chunks that are none',
    build: framed(['Transfer-Encoding: chunked'], `${MESSAGE}\r\n`),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: a chunk of endless size',
    build: framed(['Transfer-Encoding: chunked'], 'fffffffffffffffff\r\nx'),
    status: [400, 413],
  },
  {
    name: 'framing: a chunk longer than it says',
    build: framed(['Transfer-Encoding: chunked'], `5\r\n${MESSAGE}\r\n0\r\n\r\n`),
    status: BAD_REQUEST,
  },
  {
    name: 'framing: an unknown transfer encoding',
    build: framed(['Transfer-Encoding: lobby'], MESSAGE),
    status: [400, 501],
  },
  {
    name: 'framing: an expectation nobody knows',
    build: framed(['Expect: miracles', 'Content-Length: 33'], MESSAGE),
    status: [400, 417],
  },
  {
    name: 'framing: asks first, then sends too much',
    build: framed(['Expect: 100-continue', 'Content-Length: 900000']),
    status: [413, 417],
  },
  {
    name: 'framing: folded headers',
    build: framed(['X-Odd: a', ' b', 'Content-Length: 2'], '{}'),
    status: BAD_REQUEST,
  },
];

// --- Uploads -----------------------------------------------------------------------------------------------------------------------

interface FormPart {
  readonly head: string;
  readonly body: Body;
}

const part = (disposition: string, type: string, body: Body): FormPart => ({
  head: `Content-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}`,
  body,
});
const ACTIVITY = part(
  'name="activity"; filename="blob"',
  'application/vnd.microsoft.activity',
  '{"type":"message","attachments":[{"contentType":"image/png","name":"a.png"}]}',
);
const picture = (name = 'a.png', type = 'image/png', body: Body = PNG) =>
  part(`name="file"; filename="${name}"`, type, body);

function form(parts: readonly FormPart[], boundary = 'b', end = `--${boundary}--\r\n`): Buffer {
  const written = parts.flatMap(({ head, body }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...written, Buffer.from(end)]);
}

function upload(body: Body, type = 'multipart/form-data; boundary=b', headers: Headers = {}): MalformedCase['build'] {
  return (target) =>
    http(
      target,
      `POST ${conversation(target)}/upload`,
      { ...bearer(target.token), ...(type && { 'Content-Type': type }), ...headers },
      body,
    );
}

const UPLOADS: readonly MalformedCase[] = [
  {
    name: 'upload: no boundary',
    build: upload(form([ACTIVITY, picture()]), 'multipart/form-data'),
    status: [400, 415],
  },
  {
    name: 'upload: an empty boundary',
    build: upload(form([ACTIVITY, picture()]), 'multipart/form-data; boundary='),
    status: [400, 415],
  },
  {
    name: 'upload: another boundary than announced',
    build: upload(form([ACTIVITY, picture()], 'other')),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: a boundary of 10,000 characters',
    build: upload(form([ACTIVITY, picture()]), `multipart/form-data; boundary=${'b'.repeat(10_000)}`),
    status: BAD_REQUEST,
  },
  { name: 'upload: nothing', build: upload(''), status: BAD_REQUEST },
  { name: 'upload: only the closing boundary', build: upload('--b--\r\n'), status: BAD_REQUEST },
  { name: 'upload: never closed', build: upload(form([ACTIVITY, picture()], 'b', '')), status: BAD_REQUEST },
  {
    name: 'upload: cut in the headers of a part',
    build: upload('--b\r\nContent-Disposition: form-data; na'),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: cut in a file',
    build: upload(
      Buffer.concat([
        form([ACTIVITY], 'b', ''),
        Buffer.from(
          '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
        ),
        PNG.subarray(0, 30),
      ]),
    ),
    status: BAD_REQUEST,
  },
  { name: 'upload: an activity and no file', build: upload(form([ACTIVITY])), status: BAD_REQUEST },
  {
    name: 'upload: an activity that is not JSON',
    build: upload(
      form([part('name="activity"; filename="blob"', 'application/vnd.microsoft.activity', '{"type":'), picture()]),
    ),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: an activity of the wrong type',
    build: upload(form([part('name="activity"; filename="blob"', 'application/json', '{"type":"invoke"}'), picture()])),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: an activity with NUL',
    build: upload(
      form([
        part('name="activity"; filename="blob"', 'application/json', '{"type":"message","text":"\\u0000"}'),
        picture(),
      ]),
    ),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: an activity of 10,000 levels',
    build: upload(
      form([part('name="activity"; filename="blob"', 'application/json', deep('[', ']', 10_000)), picture()]),
    ),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: an activity that is not UTF-8',
    build: upload(form([part('name="activity"; filename="blob"', 'application/json', text([0xff])), picture()])),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: an empty file',
    build: upload(form([ACTIVITY, picture('a.png', 'image/png', '')])),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: a program named as a picture',
    build: upload(
      form([ACTIVITY, picture('a.png', 'image/png', Buffer.from('4d5a90000300000004000000ffff0000', 'hex'))]),
    ),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: a page named as a picture',
    build: upload(form([ACTIVITY, picture('a.png', 'image/png', '<html><script>alert(1)</script></html>')])),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: an SVG',
    build: upload(
      form([
        ACTIVITY,
        picture('a.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
      ]),
    ),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: a picture that says it is a document',
    build: upload(form([ACTIVITY, picture('a.pdf', 'application/pdf')])),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: a path for a name and no picture',
    build: upload(form([ACTIVITY, picture('../../../../etc/passwd', 'image/png', 'root:x:0:0')])),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: a Windows path with a program',
    build: upload(form([ACTIVITY, picture('C:\\\\Windows\\\\a.exe', 'application/x-msdownload', 'MZ')])),
    status: WRONG_TYPE,
  },
  {
    name: 'upload: a name of 100 KB',
    build: upload(form([ACTIVITY, picture(`${'n'.repeat(100 * 1024)}.png`)])),
    status: [400, 413, 431],
  },
  {
    name: 'upload: a field name of 100 KB',
    build: upload(form([ACTIVITY, part(`name="${'n'.repeat(100 * 1024)}"; filename="a.png"`, 'image/png', PNG)])),
    status: [400, 413, 431],
  },
  { name: 'upload: 1,000 files', build: upload(form(Array<FormPart>(1_000).fill(picture()))), status: TOO_LARGE },
  {
    name: 'upload: 1,000 fields',
    build: upload(
      form([...Array.from({ length: 1_000 }, (_, at) => part(`name="f${at}"`, 'text/plain', 'x')), picture()]),
    ),
    status: TOO_LARGE,
  },
  {
    name: 'upload: a part with 1,000 headers',
    build: upload(
      form([
        {
          head: `${picture().head}\r\n${Array.from({ length: 1_000 }, (_, at) => `X-${at}: 1`).join('\r\n')}`,
          body: 'x',
        },
      ]),
    ),
    status: [400, 413, 415],
  },
  { name: 'upload: a part without headers', build: upload('--b\r\n\r\nhello\r\n--b--\r\n'), status: BAD_REQUEST },
  {
    name: 'upload: a part without a name',
    build: upload(form([{ head: 'Content-Disposition: form-data', body: PNG }])),
    status: BAD_REQUEST,
  },
  {
    name: 'upload: a file of 6 MB',
    build: upload(form([ACTIVITY, picture('a.png', 'image/png', Buffer.concat([PNG, Buffer.alloc(6 * MEGABYTE)]))])),
    status: TOO_LARGE,
  },
  {
    name: 'upload: 10 TB announced',
    build: upload(form([ACTIVITY, picture()]), undefined, { 'Content-Length': '10995116277760' }),
    status: TOO_LARGE,
  },
  { name: 'upload: JSON', build: upload(MESSAGE, 'application/json'), status: WRONG_TYPE },
  { name: 'upload: no content type', build: upload(form([ACTIVITY, picture()]), ''), status: WRONG_TYPE },
  {
    name: 'upload: gzip',
    build: upload(gzipSync(form([ACTIVITY, picture()])), undefined, { 'Content-Encoding': 'gzip' }),
    status: WRONG_TYPE,
  },
  { name: 'upload: noise', build: upload(randomBytes(5_000)), status: BAD_REQUEST },
  {
    name: 'upload: without a token',
    build: (target) =>
      http(
        target,
        `POST ${conversation(target)}/upload`,
        { 'Content-Type': 'multipart/form-data; boundary=b' },
        form([ACTIVITY, picture()]),
      ),
    status: [401],
  },
  {
    name: 'upload: into another conversation',
    build: (target) =>
      http(
        target,
        `POST ${DIRECT_LINE}/conversations/${target.otherConversationId}/upload`,
        { ...bearer(target.token), 'Content-Type': 'multipart/form-data; boundary=b' },
        form([ACTIVITY, picture()]),
      ),
    status: FORBIDDEN,
  },
];

// --- The stream ----------------------------------------------------------------------------------------------------------------------

const UPGRADE: Headers = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** The path of a fresh stream address of the visitor's conversation. */
async function streamPath(target: Target): Promise<string> {
  const answer = await target.ask(http(target, `GET ${conversation(target)}`, bearer(target.token)));
  const { pathname, search } = new URL((JSON.parse(answer.body) as { streamUrl: string }).streamUrl);
  return pathname + search;
}

const stream =
  (query: (target: Target) => string, headers: Headers = {}): MalformedCase['build'] =>
  (target) =>
    http(target, `GET ${conversation(target)}/stream${query(target)}`, { ...UPGRADE, ...headers });

/** A good ticket, and an upgrade that is wrong in what is given; a header given as '' is left out. */
const withTicket =
  (headers: Headers, method = 'GET'): MalformedCase['build'] =>
  async (target) => {
    const all = Object.entries({ ...UPGRADE, ...headers }).filter(([, value]) => value !== '');
    return http(target, `${method} ${await streamPath(target)}`, Object.fromEntries(all));
  };

const STREAMS: readonly MalformedCase[] = [
  { name: 'stream: no ticket', build: stream(() => ''), status: [401, 403] },
  { name: 'stream: an empty ticket', build: stream(() => '?t='), status: FORBIDDEN },
  { name: 'stream: a word for a ticket', build: stream(() => '?watermark=0&t=hello'), status: FORBIDDEN },
  { name: 'stream: a token for a ticket', build: stream(({ token }) => `?watermark=0&t=${token}`), status: FORBIDDEN },
  { name: 'stream: broken percent signs for a ticket', build: stream(() => '?t=%zz%'), status: FORBIDDEN },
  { name: 'stream: a ticket of 5,000 characters', build: stream(() => `?t=${'A'.repeat(5_000)}`), status: FORBIDDEN },
  {
    name: 'stream: a ticket that was used',
    build: async (target) => {
      const bytes = http(target, `GET ${await streamPath(target)}`, UPGRADE);
      await target.ask(bytes);
      return bytes;
    },
    status: FORBIDDEN,
  },
  {
    name: 'stream: a ticket with another watermark signed by nobody',
    build: async (target) => {
      const path = await streamPath(target);
      const [address = '', ticket = ''] = path.split('&t=');
      return http(target, `GET ${address}&t=${forged(ticket, {}, { wm: 0 })}x`, UPGRADE);
    },
    status: FORBIDDEN,
  },
  {
    name: 'stream: a ticket of another conversation',
    build: async (target) =>
      http(
        target,
        `GET ${(await streamPath(target)).replace(target.conversationId, target.otherConversationId)}`,
        UPGRADE,
      ),
    status: FORBIDDEN,
  },
  {
    name: 'stream: a page of a foreign site',
    build: withTicket({ Origin: 'https://evil.example' }),
    status: FORBIDDEN,
  },
  { name: 'stream: no key', build: withTicket({ 'Sec-WebSocket-Key': '' }), status: BAD_REQUEST },
  { name: 'stream: a short key', build: withTicket({ 'Sec-WebSocket-Key': 'AAAA' }), status: BAD_REQUEST },
  { name: 'stream: an old version', build: withTicket({ 'Sec-WebSocket-Version': '7' }), status: [400, 426] },
  {
    name: 'stream: a version that is a word',
    build: withTicket({ 'Sec-WebSocket-Version': 'latest' }),
    status: [400, 426],
  },
  { name: 'stream: an upgrade to something else', build: withTicket({ Upgrade: 'h2c' }), status: [400, 426] },
  { name: 'stream: by POST', build: withTicket({}, 'POST'), status: [400, 404, 405] },
  {
    name: 'stream: without an upgrade',
    build: get((target) => `${conversation(target)}/stream?t=x`),
    status: [404, 426],
  },
  {
    name: 'stream: of a conversation with a broken percent sign',
    build: (target) => http(target, `GET ${DIRECT_LINE}/conversations/%zz/stream?t=x`, UPGRADE),
    status: [400, 403, 404],
  },
  { name: 'stream: at another address', build: (target) => http(target, 'GET /chat', UPGRADE), status: [400, 404] },
  {
    name: 'stream: at an address that is none',
    build: (target) => http(target, 'GET http://[::bad/stream', UPGRADE),
    status: [400, 404],
  },
  { name: 'stream: a Host that is no host', build: withTicket({ Host: 'a b"<c>' }), status: [400, 403] },
];

// --- The service's own routes -------------------------------------------------------------------------------------------------------------

const ROUTES = each<string | Body>(
  [
    ['chat token: not JSON', '/api/chat/token', '{'],
    ['chat token: a list', '/api/chat/token', '[]'],
    ['chat token: a conversation that is a number', '/api/chat/token', '{"conversationId":5}'],
    ['chat token: a bank token that is none', '/api/chat/token', '{"bankToken":"a.b.c"}'],
    ['chat token: NUL', '/api/chat/token', '{"conversationId":"\\u0000"}'],
    ['chat token: 10,000 levels', '/api/chat/token', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['chat token: broken gzip', '/api/chat/token', gzipSync('{}').subarray(0, 12)],
    ['messages: not JSON', '/api/messages', '{"type":'],
    ['messages: a list', '/api/messages', '[]'],
    ['messages: a word', '/api/messages', '"hello"'],
    ['messages: no conversation', '/api/messages', '{"type":"message","text":"hello"}'],
    ['messages: NUL', '/api/messages', '{"type":"message","text":"\\u0000"}'],
    ['messages: 10,000 levels', '/api/messages', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    [
      'messages: an invented token',
      '/api/messages',
      '{"type":"message","text":"x","conversation":{"id":"a"},"from":{"id":"u"},"serviceUrl":"not a url"}',
    ],
  ],
  (path = '', body = '') => ({
    build: (target) => http(target, `POST ${path}`, JSON_TYPE, body),
    status: [400, 401, 403],
  }),
);

// --- Slow ones ---------------------------------------------------------------------------------------------------------------------------

const drip = (head: Buffer, body: Buffer, pauseMs: number, count: number): Payload => ({
  pieces: [head, ...Array.from({ length: count }, (_, at) => body.subarray(at, at + 1))],
  pauseMs,
});

const SLOW: readonly MalformedCase[] = [
  {
    name: 'slow: a body that never comes',
    build: (target) =>
      http(target, `POST ${activities(target)}`, { ...bearer(target.token), ...JSON_TYPE, 'Content-Length': '100' }),
    status: [408],
    withinMs: 25_000,
  },
  {
    name: 'slow: a body of one byte a second',
    build: (target) =>
      drip(
        http(target, `POST ${activities(target)}`, { ...bearer(target.token), ...JSON_TYPE, 'Content-Length': '1000' }),
        Buffer.alloc(100, 0x20),
        1_000,
        100,
      ),
    status: [408],
    withinMs: 25_000,
  },
  {
    name: 'slow: a header that never ends',
    build: (target) => ({
      pieces: [
        Buffer.from(`POST ${activities(target)} HTTP/1.1\r\nHost: ${target.base.host}\r\n`),
        ...Array.from({ length: 60 }, (_, at) => Buffer.from(`X-${at}: 1\r\n`)),
      ],
      pauseMs: 500,
    }),
    status: [408],
    withinMs: 25_000,
  },
];

/** All of them. */
export const MALFORMED_CASES: readonly MalformedCase[] = [
  ...JSON_TEXTS,
  ...FIELDS,
  ...NAMES,
  ...DEPTHS,
  ...CHARACTERS,
  ...BODIES,
  ...TOKENS,
  ...OTHERS,
  ...WATERMARKS,
  ...PATHS,
  ...METHODS,
  ...FRAMING,
  ...UPLOADS,
  ...STREAMS,
  ...ROUTES,
  ...SLOW,
];
