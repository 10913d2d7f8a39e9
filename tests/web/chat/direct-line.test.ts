import { describe, expect, test } from 'vitest';
import { DirectLine, type LineSocket, type LineStatus } from '../../../web/chat/direct-line.ts';
import { Timers } from '../support/device.ts';

interface Asked {
  readonly body: Record<string, unknown>;
  readonly form: FormData;
  readonly token: string;
}

type Answer = (request: Asked) => Response;

class FakeSocket implements LineSocket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  open(): void {
    this.onopen?.(undefined as never);
  }

  receive(frame: object | string): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  close(): void {
    this.onclose?.(undefined as never);
    this.onclose = null;
  }
}

const ID = 'c'.repeat(22);
const grant = (change: object = {}) => ({
  token: 't1',
  conversationId: ID,
  userId: 'dl_me',
  expires_in: 1800,
  visitor: 'v1',
  ...change,
});

/** The bank as the line sees it: answers by address, and the sockets that were opened. */
class Bank {
  readonly timers = new Timers();
  readonly sockets: FakeSocket[] = [];
  readonly calls: string[] = [];
  readonly statuses: LineStatus[] = [];
  readonly received: unknown[] = [];
  readonly opened: object[] = [];
  readonly visitors: string[] = [];
  lost = 0;
  readonly answers: Record<string, Answer> = {
    'POST /api/chat/token': () => Response.json(grant()),
    'POST /v3/directline/conversations': () =>
      Response.json(
        { conversationId: ID, token: 't1', expires_in: 1800, streamUrl: 'ws://stream?first' },
        { status: 201 },
      ),
    [`GET /v3/directline/conversations/${ID}`]: () =>
      Response.json({ conversationId: ID, token: 't1', streamUrl: 'ws://stream?again' }),
    [`GET /v3/directline/conversations/${ID}/activities`]: () => Response.json({ activities: [], watermark: '0' }),
    [`POST /v3/directline/conversations/${ID}/activities`]: () => Response.json({ id: `${ID}|0000001` }),
    'POST /v3/directline/tokens/refresh': () => Response.json({ conversationId: ID, token: 't2', expires_in: 1800 }),
  };

  line(start: { visitor?: string; conversationId?: string } = {}): DirectLine {
    const line = new DirectLine(
      {
        http: (url, init) => this.#answer(url, init),
        openSocket: (url) => {
          const socket = new FakeSocket(url);
          this.sockets.push(socket);
          return socket;
        },
        timer: this.timers.timer,
        random: () => 0.5,
      },
      {
        visitor: (credential) => this.visitors.push(credential),
        opened: (conversation) => this.opened.push(conversation),
        activities: (batch) => this.received.push(...batch),
        status: (status) => this.statuses.push(status),
        lost: () => {
          this.lost += 1;
        },
      },
      { visitor: start.visitor, conversationId: start.conversationId },
    );
    void line.run();
    return line;
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('No socket was opened.');
    return socket;
  }

  callsTo(part: string): string[] {
    return this.calls.filter((call) => call.includes(part));
  }

  #answer(url: string, init: RequestInit): Promise<Response> {
    const [path = '', query] = url.split('?');
    const token = String((init.headers as Record<string, string> | undefined)?.authorization ?? '').slice(7);
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const form = init.body instanceof FormData ? init.body : new FormData();
    this.calls.push(`${init.method} ${path}${query === undefined ? '' : `?${query}`} ${token}`.trim());
    const answer = this.answers[`${init.method} ${path}`];
    return answer ? Promise.resolve(answer({ body, form, token })) : Promise.resolve(new Response('', { status: 404 }));
  }
}

/** A line that is up. */
async function live(bank: Bank, start: { visitor?: string; conversationId?: string } = {}): Promise<DirectLine> {
  const line = bank.line(start);
  await bank.timers.pass(0);
  bank.socket.open();
  await bank.timers.pass(0);
  return line;
}

describe('beginning', () => {
  test('asks for a token, begins the conversation, and opens the stream exactly as it was given', async () => {
    const bank = new Bank();
    await live(bank);
    expect(bank.calls).toEqual(['POST /api/chat/token', 'POST /v3/directline/conversations t1']);
    expect(bank.socket.url).toBe('ws://stream?first');
    expect(bank.opened).toEqual([{ id: ID, userId: 'dl_me', fresh: true }]);
    expect(bank.visitors).toEqual(['v1']);
    expect(bank.statuses).toEqual(['live']);
  });

  test('goes on with a known conversation from its first word', async () => {
    const bank = new Bank();
    await live(bank, { visitor: 'v1', conversationId: ID });
    expect(bank.calls[1]).toBe(`GET /v3/directline/conversations/${ID}?watermark= t1`);
    expect(bank.opened).toEqual([{ id: ID, userId: 'dl_me', fresh: false }]);
  });

  test('starts as a new visitor when the bank no longer knows the credential', async () => {
    const bank = new Bank();
    bank.answers['POST /api/chat/token'] = ({ body }) =>
      body.visitor ? new Response('', { status: 403 }) : Response.json(grant({ visitor: 'v2' }));
    await live(bank, { visitor: 'void' });
    expect(bank.visitors).toEqual(['v2']);
  });

  test.each([403, 404])('is lost when the bank answers %i for the conversation', async (status) => {
    const bank = new Bank();
    bank.answers['POST /api/chat/token'] = () => new Response('', { status });
    bank.line({ visitor: 'v1', conversationId: ID });
    await bank.timers.pass(60_000);
    expect(bank.lost).toBe(1);
    expect(bank.calls).toHaveLength(1);
  });

  test('is lost when the bank gives another conversation than the one asked for', async () => {
    const bank = new Bank();
    bank.answers['POST /api/chat/token'] = () => Response.json(grant({ conversationId: 'd'.repeat(22) }));
    bank.line({ conversationId: ID });
    await bank.timers.pass(0);
    expect(bank.lost).toBe(1);
    expect(bank.calls).toEqual(['POST /api/chat/token']);
  });

  test('waits as long as a busy bank asks', async () => {
    const bank = new Bank();
    bank.answers['POST /api/chat/token'] = () => new Response('', { status: 429, headers: { 'retry-after': '9' } });
    bank.line();
    await bank.timers.pass(8_900);
    expect(bank.statuses).toEqual(['busy']);
    expect(bank.calls).toHaveLength(1);
    await bank.timers.pass(200);
    expect(bank.calls).toHaveLength(2);
  });
});

describe('the stream', () => {
  test('comes back from its watermark after it broke', async () => {
    const bank = new Bank();
    await live(bank);
    bank.socket.receive({ activities: [{ id: 'a' }], watermark: '4' });
    bank.socket.receive('');
    bank.socket.close();
    await bank.timers.pass(1_000);
    expect(bank.calls.at(-1)).toBe(`GET /v3/directline/conversations/${ID}?watermark=4 t1`);
    expect(bank.socket.url).toBe('ws://stream?again');
    expect(bank.received).toEqual([{ id: 'a' }]);
    expect(bank.opened.at(-1)).toMatchObject({ fresh: false });
  });

  test('keeps its watermark when a repeat comes in a frame without one', async () => {
    const bank = new Bank();
    await live(bank);
    bank.socket.receive({ activities: [{ id: 'a' }], watermark: '4' });
    bank.socket.receive({ activities: [{ id: 'a' }] });
    bank.socket.close();
    await bank.timers.pass(1_000);
    expect(bank.calls.at(-1)).toContain('watermark=4');
  });

  test('is asked again from the watermark when a frame does not read', async () => {
    const bank = new Bank();
    await live(bank);
    bank.socket.receive({ activities: [], watermark: '2' });
    bank.socket.receive('{"activities":[{"id"');
    await bank.timers.pass(1_000);
    expect(bank.calls.at(-1)).toContain('watermark=2');
    expect(bank.sockets).toHaveLength(2);
  });

  test('does not trouble the customer with a drop that heals at once, but with one that lasts', async () => {
    const bank = new Bank();
    await live(bank);
    await bank.timers.pass(5_000);
    bank.socket.close();
    await bank.timers.pass(1_000);
    bank.socket.open();
    expect(bank.statuses).toEqual(['live']);
    await bank.timers.pass(5_000);
    bank.socket.close();
    await bank.timers.pass(1_000);
    bank.socket.open();
    expect(bank.statuses).toEqual(['live']);
    await bank.timers.pass(5_000);
    bank.answers[`GET /v3/directline/conversations/${ID}`] = () => new Response('', { status: 502 });
    bank.socket.close();
    await bank.timers.pass(3_000);
    expect(bank.statuses).toEqual(['live', 'broken']);
  });

  test('comes back less and less often while the bank is away, but at least every 15 seconds', async () => {
    const bank = new Bank();
    await live(bank);
    bank.answers[`GET /v3/directline/conversations/${ID}`] = () => new Response('', { status: 502 });
    bank.socket.close();
    await bank.timers.pass(60_000);
    const first = bank.callsTo('watermark').length;
    expect(first).toBeGreaterThan(4);
    expect(first).toBeLessThan(14);
    await bank.timers.pass(60_000);
    expect(bank.callsTo('watermark').length - first).toBeGreaterThanOrEqual(4);
  });

  test('looks at once when it is nudged', async () => {
    const bank = new Bank();
    const line = await live(bank);
    bank.answers[`GET /v3/directline/conversations/${ID}`] = () => new Response('', { status: 502 });
    bank.socket.close();
    await bank.timers.pass(60_000);
    const before = bank.callsTo('watermark').length;
    void line.nudge();
    await bank.timers.pass(0);
    expect(bank.callsTo('watermark').length).toBe(before + 1);
  });

  test('that stayed silent about something is replaced, and loses none of it', async () => {
    const bank = new Bank();
    const line = await live(bank);
    bank.answers[`GET /v3/directline/conversations/${ID}/activities`] = () =>
      Response.json({ activities: [{ id: 'missed' }], watermark: '9' });
    void line.nudge();
    await bank.timers.pass(2_000);
    expect(bank.received).toEqual([{ id: 'missed' }]);
    expect(bank.sockets).toHaveLength(2);
    expect(bank.calls.at(-1)).toContain('watermark=9');
  });

  test('polls where sockets are blocked, and tries a socket again after a minute', async () => {
    const bank = new Bank();
    bank.line();
    await bank.timers.pass(0);
    bank.socket.close();
    await bank.timers.pass(2_000);
    bank.socket.close();
    bank.answers[`GET /v3/directline/conversations/${ID}/activities`] = () =>
      Response.json({ activities: [{ id: 'polled' }], watermark: '1' });
    await bank.timers.pass(5_000);
    expect(bank.received).toContainEqual({ id: 'polled' });
    expect(bank.statuses.at(-1)).toBe('live');
    expect(bank.callsTo('/activities').length).toBeGreaterThanOrEqual(2);
    await bank.timers.pass(65_000);
    expect(bank.sockets).toHaveLength(3);
  });

  test('is lost when the conversation is gone, and asks nothing more', async () => {
    const bank = new Bank();
    await live(bank);
    bank.answers[`GET /v3/directline/conversations/${ID}`] = () => new Response('', { status: 404 });
    bank.socket.close();
    await bank.timers.pass(2_000);
    const calls = bank.calls.length;
    await bank.timers.pass(3_600_000);
    expect(bank.lost).toBe(1);
    expect(bank.calls).toHaveLength(calls);
  });

  test('ends when it is stopped', async () => {
    const bank = new Bank();
    const line = await live(bank);
    line.stop();
    const calls = bank.calls.length;
    await bank.timers.pass(3_600_000);
    expect(bank.calls).toHaveLength(calls);
    expect(bank.lost).toBe(0);
  });
});

describe('the token', () => {
  test('is refreshed half-way through its life', async () => {
    const bank = new Bank();
    const line = await live(bank);
    await bank.timers.pass(901_000);
    expect(bank.callsTo('refresh')).toEqual(['POST /v3/directline/tokens/refresh t1']);
    await line.post({ type: 'message', text: 'x' }, 'k', 'zh-CN');
    expect(bank.calls.at(-1)).toContain(' t2');
  });

  test('that has run out is renewed, and the message goes out under the new one', async () => {
    const bank = new Bank();
    const line = await live(bank);
    bank.answers['POST /api/chat/token'] = ({ body }) =>
      Response.json(grant({ token: `for-${String(body.conversationId)}` }));
    bank.answers[`POST /v3/directline/conversations/${ID}/activities`] = ({ token }) =>
      token === 't1' ? new Response('', { status: 403 }) : Response.json({ id: 'x' });
    await line.post({ type: 'message', text: 'x' }, 'k', 'zh-CN');
    expect(bank.calls.at(-1)).toContain(`for-${ID}`);
  });

  test('is asked for once by all who need it at the same moment', async () => {
    const bank = new Bank();
    const line = await live(bank);
    bank.answers['POST /api/chat/token'] = () => Response.json(grant({ token: 't9' }));
    bank.answers[`POST /v3/directline/conversations/${ID}/activities`] = ({ token }) =>
      token === 't1' ? new Response('', { status: 401 }) : Response.json({ id: 'x' });
    await Promise.all(['a', 'b', 'c'].map((key) => line.post({ type: 'message', text: key }, key, 'zh-CN')));
    expect(bank.callsTo('/api/chat/token')).toHaveLength(2);
  });
});

describe('a message', () => {
  test('carries its key under both names, and the customer’s language', async () => {
    const bank = new Bank();
    const line = await live(bank);
    let sent: Record<string, unknown> = {};
    bank.answers[`POST /v3/directline/conversations/${ID}/activities`] = ({ body }) => {
      sent = body;
      return Response.json({ id: 'x' });
    };
    await line.post({ type: 'message', text: '你好' }, 'key-1', 'zh-CN');
    expect(sent).toMatchObject({
      type: 'message',
      text: '你好',
      locale: 'zh-CN',
      channelData: { idempotencyKey: 'key-1', clientActivityID: 'key-1' },
    });
  });

  test('with a file goes out as its description and the file', async () => {
    const bank = new Bank();
    const line = await live(bank);
    const upload = `/v3/directline/conversations/${ID}/upload`;
    let form = new FormData();
    bank.answers[`POST ${upload}`] = (request) => {
      form = request.form;
      return Response.json({ id: 'x' });
    };
    await line.upload(new File(['bytes'], '回单.png', { type: 'image/png' }), 'key-2', 'zh-CN');
    expect(bank.calls.at(-1)).toBe(`POST ${upload}?userId=dl_me t1`);
    const [description, file] = [form.get('activity') as File, form.get('file') as File];
    expect([description.name, description.type]).toEqual(['blob', 'application/vnd.microsoft.activity']);
    expect(JSON.parse(await description.text())).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'image/png', name: '回单.png' }],
      channelData: { idempotencyKey: 'key-2' },
    });
    expect([file.name, await file.text()]).toEqual(['回单.png', 'bytes']);
  });
});
