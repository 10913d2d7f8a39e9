/** Microsoft's own Direct Line client against the web channel, over WebSocket and by polling. */

import { type Activity, ConnectionStatus, DirectLine } from 'botframework-directlinejs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_UPLOADS } from '../../../adapters/directline/uploads.ts';
import { readConversation } from '../../../record/conversations.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import { startWebChannel, type WebChannel } from '../../support/web-channel.ts';
import { FetchXhr } from '../../support/xhr.ts';

/** The client is made for browsers: it looks for these when it is used. */
Object.assign(globalThis, { XMLHttpRequest: FetchXhr });
Object.assign(globalThis, { WebSocket });

let scratch: ScratchDatabase;
let channel: WebChannel;
const clients: Client[] = [];

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
beforeEach(async () => {
  channel = await startWebChannel(scratch.database, { config: { uploads: DEFAULT_UPLOADS } });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  await channel.close();
});

interface Shown {
  readonly id: string;
  readonly type: string;
  readonly text?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields they expect.
  readonly [field: string]: any;
}

/** The client, with every activity it showed in the order it showed them. */
interface Client {
  readonly shown: Shown[];
  readonly line: DirectLine;
  readonly sockets: WebSocket[];
  texts(): (string | undefined)[];
  status(): ConnectionStatus;
  post(activity: object): Promise<string>;
  end(): void;
}

type Options = ConstructorParameters<typeof DirectLine>[0];

function connectClient(options: Partial<Options>): Client {
  const sockets: WebSocket[] = [];
  class Kept extends WebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const line = new DirectLine({
    domain: channel.domain,
    pollingInterval: 200,
    // Comes back after three seconds, the shortest it would ever wait, rather than after up to fifteen.
    random: () => 0,
    WebSocket: Kept,
    ...options,
  } as unknown as Options);
  const shown: Shown[] = [];
  let status = ConnectionStatus.Uninitialized;
  const reading = line.activity$.subscribe(
    (activity: Activity) => shown.push(activity as unknown as Shown),
    // It gave up: `status` says so.
    () => undefined,
  );
  const watching = line.connectionStatus$.subscribe((next) => {
    status = next;
  });
  const client: Client = {
    shown,
    line,
    sockets,
    texts: () => shown.map(({ text }) => text),
    status: () => status,
    post: (activity) =>
      new Promise((resolve, reject) => {
        line.postActivity({ from: { id: 'u-1', name: 'me' }, ...activity } as Activity).subscribe(resolve, reject);
      }),
    end() {
      reading.unsubscribe();
      watching.unsubscribe();
      line.end();
      for (const socket of sockets) socket.terminate();
    },
  };
  clients.push(client);
  return client;
}

async function newClient(
  webSocket: boolean,
  options: Partial<Options> = {},
): Promise<Client & { token: string; conversationId: string }> {
  const { token, conversationId } = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
  return { ...connectClient({ token, webSocket, ...options }), token, conversationId };
}

const say = (client: Client, text: string, clientActivityID = text): Promise<string> =>
  client.post({ type: 'message', text, channelData: { clientActivityID } });

describe.each([
  ['over WebSocket', true],
  ['by polling', false],
])('the official client %s', (_how, webSocket) => {
  it('holds a conversation: echoes, answers, suggested actions, card submits and events, each once and in order', async () => {
    const client = await newClient(webSocket);
    const id = await say(client, '你好');
    await say(client, 'chips');
    await client.post({ type: 'message', value: { amount: 5 }, channelData: { postBack: true } });
    await client.post({ type: 'event', name: 'page/opened', value: {} });
    await expect.poll(() => client.shown.length, { timeout: 5000 }).toBe(8);
    expect(client.texts()).toEqual([
      '你好',
      'echo: 你好',
      'chips',
      'choose',
      'one of these',
      undefined,
      'echo: {"amount":5}',
      undefined,
    ]);
    expect(client.shown[0]).toMatchObject({ id, channelData: { clientActivityID: '你好' } });
    expect(client.shown[4]?.suggestedActions.actions).toHaveLength(2);
    expect(client.shown.at(-1)).toMatchObject({ type: 'event', name: 'page/opened' });
    expect(client.status()).toBe(ConnectionStatus.Online);
  });

  it('sends files', async () => {
    const client = await newClient(webSocket);
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const contentUrl = URL.createObjectURL(new Blob([png], { type: 'image/png' }));
    await client.post({
      type: 'message',
      text: '见图',
      attachments: [{ contentType: 'image/png', name: '截图.png', contentUrl }],
    });
    await expect.poll(() => client.shown.length, { timeout: 5000 }).toBe(2);
    const [attachment] = client.shown[0]?.attachments ?? [];
    expect(attachment).toMatchObject({ name: '截图.png', contentType: 'image/png' });
    expect(Buffer.from(await (await fetch(attachment.contentUrl)).arrayBuffer())).toEqual(png);
  });

  it('goes on after a reload, with the history when it brings no watermark', async () => {
    const before = await newClient(webSocket);
    await say(before, 'one');
    await expect.poll(() => before.shown.length, { timeout: 5000 }).toBe(2);
    const { token, conversationId } = before;
    before.end();
    const [all, rest] = [
      connectClient({ token, conversationId, webSocket }),
      connectClient({ token, conversationId, watermark: '2', webSocket }),
    ];
    await expect
      .poll(() => [all.status(), rest.status()], { timeout: 5000 })
      .toEqual([ConnectionStatus.Online, ConnectionStatus.Online]);
    await say(rest, 'two');
    await expect.poll(() => all.texts(), { timeout: 5000 }).toEqual(['one', 'echo: one', 'two', 'echo: two']);
    expect(rest.texts()).toEqual(['two', 'echo: two']);
  });

  it('is told that its token has expired', async () => {
    const { token, conversationId } = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
    channel.pass(40 * 60);
    const client = connectClient({ token, conversationId, webSocket });
    await expect.poll(() => client.status(), { timeout: 5000 }).toBe(ConnectionStatus.FailedToConnect);
  });

  it('gives up on a conversation that is not there', async () => {
    const { token, conversationId } = await channel.directLine.issueForVisitor({ address: '192.0.2.1' });
    const client = connectClient({ token, conversationId, webSocket });
    await expect.poll(() => client.status(), { timeout: 5000 }).toBe(ConnectionStatus.FailedToConnect);
  });

  it('is told what it did wrong', async () => {
    const client = await newClient(webSocket);
    await expect(say(client, '长'.repeat(4001))).rejects.toMatchObject({ status: 400 });
    await say(client, 'hi');
    expect(await readConversation(scratch.database, client.conversationId)).toHaveLength(2);
  });
});

it('the official client comes back after its socket was cut, with no gap and no repeat', async () => {
  const client = await newClient(true);
  await say(client, 'one');
  await expect.poll(() => client.shown.length).toBe(2);
  client.sockets.at(-1)?.terminate();
  await say(client, 'two');
  await say(client, 'three');
  await expect
    .poll(() => client.texts(), { timeout: 8000 })
    .toEqual(['one', 'echo: one', 'two', 'echo: two', 'three', 'echo: three']);
  expect(client.sockets).toHaveLength(2);
});

it('the official client refreshes its token and goes on', async () => {
  const client = await newClient(true);
  await say(client, 'one');
  const refreshed = await new Promise<string>((resolve, reject) => {
    (
      client.line as unknown as {
        refreshToken(): { subscribe(next: (token: string) => void, fail: (error: unknown) => void): void };
      }
    )
      .refreshToken()
      .subscribe(resolve, reject);
  });
  expect(refreshed).not.toBe(client.token);
  (client.line as unknown as { token: string }).token = refreshed;
  channel.pass(120);
  await say(client, 'two');
  await expect.poll(() => client.texts()).toEqual(['one', 'echo: one', 'two', 'echo: two']);
});
