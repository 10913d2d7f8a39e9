/** Files a customer sends, over real HTTP and into the real record. */

import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_UPLOADS, safeName, type UploadLimits } from '../../../adapters/directline/uploads.ts';
import { readConversation } from '../../../record/conversations.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import {
  type Answer,
  call,
  newVisitor,
  openStream,
  startWebChannel,
  type Visitor,
  type WebChannel,
} from '../../support/web-channel.ts';

let scratch: ScratchDatabase;
let channel: WebChannel;
let visitor: Visitor;

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());

const start = async (uploads: UploadLimits | null = DEFAULT_UPLOADS): Promise<void> => {
  channel = await startWebChannel(scratch.database, { config: { uploads } });
  visitor = await newVisitor(channel);
};
beforeEach(() => start());
afterEach(() => channel.close());

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n');

interface Sent {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}
const png: Sent = { name: '交易截图.png', type: 'image/png', bytes: PNG };

/** An upload as `botframework-directlinejs` makes it. */
function upload(
  files: readonly Sent[],
  activity: unknown = { type: 'message', from: { id: 'x' }, attachments: [] },
): Promise<Answer> {
  const form = new FormData();
  if (activity !== undefined) {
    form.append('activity', new Blob([JSON.stringify(activity)], { type: 'application/vnd.microsoft.activity' }));
  }
  for (const { name, type, bytes } of files) form.append('file', new Blob([new Uint8Array(bytes)], { type }), name);
  return call(`${visitor.address}/upload?userId=somebody-else`, visitor.token, { method: 'POST', body: form });
}

const raw = (body: string | Buffer, type = 'multipart/form-data; boundary=b'): Promise<Answer> =>
  call(`${visitor.address}/upload`, visitor.token, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });

const kept = async (): Promise<number> => {
  const rows = await scratch.database.query('select id from upload where conversation_id = $1', [
    visitor.conversationId,
  ]);
  return rows.length;
};
const codeOf = ({ status, body }: Answer): [number, string] => [status, body.error?.code];

describe('a file', () => {
  it('becomes a message whose attachment a browser can load without a header', async () => {
    const stream = await openStream(visitor.streamUrl);
    const { status, body } = await upload([png], {
      type: 'message',
      text: '见图',
      channelData: { clientActivityID: 'c' },
    });
    expect([status, body.id]).toEqual([200, `${visitor.conversationId}|0000001`]);
    await expect.poll(() => stream.activities().length).toBe(2);
    const [message] = stream.activities();
    expect(message).toMatchObject({
      text: '见图',
      from: { id: visitor.userId },
      channelData: { clientActivityID: 'c', attachmentSizes: [PNG.length] },
      attachments: [{ contentType: 'image/png', name: '交易截图.png' }],
    });
    const file = await fetch(message.attachments[0].contentUrl);
    expect(Buffer.from(await file.arrayBuffer())).toEqual(PNG);
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': `attachment; filename="____.png"; filename*=UTF-8''${encodeURIComponent('交易截图.png')}`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'private, no-store',
    });
  });

  it('needs no words with it, and no activity', async () => {
    expect((await upload([{ name: 'a.pdf', type: 'application/pdf', bytes: PDF }], undefined)).status).toBe(200);
    expect((await visitor.poll()).body.activities[0]).toMatchObject({
      type: 'message',
      attachments: [{ name: 'a.pdf' }],
    });
  });

  it('is recorded under a name of ours, never under its address', async () => {
    await upload([png]);
    const [row] = await readConversation(scratch.database, visitor.conversationId);
    expect(JSON.stringify(row?.body)).toMatch(/"contentUrl":"upload:[A-Za-z0-9_-]{22}"/);
    expect(JSON.stringify(row?.body)).not.toContain('http');
  });

  it('may come with others, up to the limit', async () => {
    expect((await upload([png, { name: 'b.pdf', type: '', bytes: PDF }])).status).toBe(200);
    expect((await visitor.poll()).body.activities[0].attachments).toHaveLength(2);
    expect(codeOf(await upload(Array(6).fill(png)))).toEqual([413, 'too_many_files']);
    expect(await kept()).toBe(2);
  });

  it('sent twice under one key is one message and one file', async () => {
    const activity = { type: 'message', channelData: { idempotencyKey: 'k' } };
    const answers = [await upload([png], activity), await upload([png], activity)];
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect(await kept()).toBe(1);
  });
});

describe('a file is refused', () => {
  it('when its bytes are not what its type says, or of no accepted type', async () => {
    expect(codeOf(await upload([{ name: 'a.png', type: 'image/png', bytes: PDF }]))).toEqual([
      415,
      'file_type_differs',
    ]);
    const html = Buffer.from('<html><script>alert(1)</script></html>');
    expect(codeOf(await upload([{ name: 'a.png', type: 'image/png', bytes: html }]))).toEqual([415, 'file_type']);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
    expect(codeOf(await upload([{ name: 'a.svg', type: 'image/svg+xml', bytes: svg }]))).toEqual([415, 'file_type']);
    const program = Buffer.from('4d5a90000300000004000000ffff0000', 'hex');
    expect(codeOf(await upload([{ name: 'a.exe', type: 'application/x-msdownload', bytes: program }]))).toEqual([
      415,
      'file_type',
    ]);
    expect(codeOf(await upload([{ name: 'a.png', type: 'image/png', bytes: Buffer.alloc(0) }]))).toEqual([
      400,
      'empty_file',
    ]);
    expect(await readConversation(scratch.database, visitor.conversationId)).toEqual([]);
    expect(await kept()).toBe(0);
  });

  it('when it is too large, or the conversation holds enough', async () => {
    await channel.close();
    await start({ fileBytes: 1000, files: 5, conversationBytes: 1500 });
    const large = (bytes: number): Sent => ({ ...png, bytes: Buffer.concat([PNG, Buffer.alloc(bytes - PNG.length)]) });
    expect(codeOf(await upload([large(1001)]))).toEqual([413, 'file_too_large']);
    expect((await upload([large(900)])).status).toBe(200);
    expect(codeOf(await upload([large(900)]))).toEqual([413, 'conversation_full']);
    expect(await kept()).toBe(1);
  });

  it('when the service takes none', async () => {
    await channel.close();
    await start(null);
    expect(codeOf(await upload([png]))).toEqual([403, 'uploads_off']);
  });

  it('when the upload is no multipart, broken, cut off or empty', async () => {
    expect(codeOf(await raw('{}', 'application/json'))).toEqual([415, 'not_multipart']);
    expect((await raw('nonsense')).status).toBe(400);
    expect((await raw('', 'multipart/form-data; boundary=b')).status).toBe(400);
    expect((await raw('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc')).status).toBe(
      400,
    );
    expect((await raw('--b--\r\n')).status).toBe(400);
    expect(codeOf(await raw('x', 'multipart/form-data'))).toEqual([415, 'not_multipart']);
    expect((await raw('x', 'multipart/form-data; charset=x')).status).toBe(400);
    expect(codeOf(await upload([], { type: 'message', text: 'no file' }))).toEqual([400, 'no_file']);
    expect((await visitor.say('still here')).status).toBe(200);
  });

  it('when the activity with it is none', async () => {
    expect(codeOf(await upload([png], { type: 'invoke' }))).toEqual([400, 'bad_activity_type']);
    expect(codeOf(await upload([png], { type: 'message', text: '长'.repeat(4001) }))).toEqual([400, 'text_too_long']);
    const form =
      '--b\r\nContent-Disposition: form-data; name="activity"\r\n\r\n{"type":"message","text":"\\u0000"}\r\n--b--\r\n';
    expect((await raw(form)).status).toBe(400);
    expect(await kept()).toBe(0);
  });

  it('without harm when its sender hangs up in the middle', async () => {
    const sending = request(`${visitor.address}/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${visitor.token}`, 'content-type': 'multipart/form-data; boundary=b' },
    });
    sending.on('error', () => undefined);
    sending.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 50));
    sending.destroy();
    expect((await visitor.say('still here')).status).toBe(200);
    expect(await kept()).toBe(0);
  });
});

describe('the address of a file', () => {
  const address = async (): Promise<string> => {
    await upload([png]);
    return (await visitor.poll()).body.activities[0].attachments[0].contentUrl;
  };

  it('opens nothing without its signature, for another file, or after a day', async () => {
    const url = await address();
    expect((await fetch(url.replace(/\?.*/, ''))).status).toBe(403);
    expect((await fetch(url.replace(/uploads\/.{22}/, `uploads/${'A'.repeat(22)}`))).status).toBe(403);
    channel.pass(86_401);
    expect((await fetch(url)).status).toBe(403);
  });

  it('opens nothing once the visitor asked to be forgotten', async () => {
    const url = await address();
    await channel.directLine.forget(visitor.visitor);
    expect((await fetch(url)).status).toBe(404);
  });
});

describe('a file’s name', () => {
  it.each([
    ['流水.pdf', '流水.pdf'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a\u0000b\r\nc.png', 'abc.png'],
    ['invoice\u202egnp.exe', 'invoicegnp.exe'],
    ['blob', 'file.png'],
    ['', 'file.png'],
    ['...', 'file.png'],
  ])('%j is kept as %j', (given, name) => {
    expect(safeName(given, 'png')).toBe(name);
  });

  it('is cut from the front, so that its ending stays', () => {
    expect(safeName(`${'长'.repeat(300)}.pdf`, 'pdf')).toMatch(/^长{96}\.pdf$/u);
  });
});
