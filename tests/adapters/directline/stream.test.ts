/** The open line to each customer's page: nothing missing, nothing out of order, whatever happens to the wire. */

import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WakeHint } from '../../../adapters/channel.ts';
import { LocalWake } from '../../../adapters/redis/local-wake.ts';
import type { Database } from '../../../record/types.ts';
import { WebChat } from '../../../record/web-chat.ts';
import { type ScratchDatabase, scratchDatabase } from '../../support/database.ts';
import {
  call,
  comeBack,
  newVisitor,
  type OpenStream,
  openStream,
  postJson,
  startWebChannel,
  type Visitor,
  type WebChannel,
  type WebChannelSettings,
} from '../../support/web-channel.ts';

let scratch: ScratchDatabase;
const open: WebChannel[] = [];

beforeAll(async () => {
  scratch = await scratchDatabase();
});
afterAll(() => scratch.drop());
afterEach(async () => {
  for (const channel of open.splice(0)) await channel.close();
});

async function start(settings: WebChannelSettings = {}): Promise<WebChannel> {
  const channel = await startWebChannel(scratch.database, settings);
  open.push(channel);
  return channel;
}

let channel: WebChannel;
let visitor: Visitor;

beforeEach(async () => {
  channel = await start();
  visitor = await newVisitor(channel);
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const upTo = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => [`m${index + 1}`, `echo: m${index + 1}`]).flat();

async function sayMany(count: number, from = 1): Promise<void> {
  for (let index = from; index < from + count; index += 1) await visitor.say(`m${index}`);
}

describe('an open stream', () => {
  it('is sent every message with its watermark, in order', async () => {
    const stream = await openStream(visitor.streamUrl);
    await sayMany(3);
    await expect.poll(() => stream.texts()).toEqual(upTo(3));
    expect(stream.frames.map(({ watermark }) => watermark)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(stream.activities().map(({ channelData }) => channelData['webchat:sequence-id'])).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  it('costs no query when the message was committed in this process', async () => {
    const counted = countingReads(scratch.database);
    const quiet = await start({ parts: { record: counted.record } });
    const guest = await newVisitor(quiet);
    const stream = await openStream(guest.streamUrl);
    await expect.poll(() => counted.reads()).toBe(1);
    await guest.say('hi');
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
    expect(counted.reads()).toBe(1);
  });

  it('shows what was said before, from the watermark on', async () => {
    await sayMany(3);
    const [all, rest] = [await comeBack(visitor), await comeBack(visitor, 4)];
    await expect.poll(() => all.texts()).toEqual(upTo(3));
    await expect.poll(() => rest.texts()).toEqual(['m3', 'echo: m3']);
  });

  it('accepts empty frames as a sign of life and ignores others', async () => {
    const stream = await openStream(visitor.streamUrl);
    stream.socket.send('');
    stream.socket.send('{"activities":[]}');
    await visitor.say('hi');
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });

  it('is closed when the client floods it, or sends a frame beyond 256 KB', async () => {
    const stream = await openStream(visitor.streamUrl);
    for (let index = 0; index < 200; index += 1) stream.socket.send('');
    expect(await stream.closed).toBe(1008);
    const big = await comeBack(visitor);
    big.socket.on('error', () => undefined);
    big.socket.send('x'.repeat(256 * 1024 + 1));
    expect(await big.closed).toBe(1009);
  });

  it('makes room for the newest of too many windows', async () => {
    const streams: OpenStream[] = [];
    for (let index = 0; index < 9; index += 1) streams.push(await comeBack(visitor));
    expect(await streams[0]?.closed).toBe(1008);
    await visitor.say('hi');
    for (const stream of streams.slice(1)) await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });
});

describe('coming back', () => {
  it('after every kind of loss leaves no gap and no repeat', async () => {
    const seen: { id: string; text: string }[] = [];
    let watermark = '';
    let sending = true;
    const speaking = (async () => {
      for (let index = 1; index <= 40; index += 1) await visitor.say(`m${index}`);
      sending = false;
    })();
    for (let life = 0; sending || seen.length < 80; life += 1) {
      if (life > 200) throw new Error('It never caught up.');
      const stream = await comeBack(visitor, watermark);
      await pause(20 + (life % 5) * 15);
      if (life % 2 === 0) stream.socket.terminate();
      else stream.socket.close();
      await stream.closed;
      seen.push(...stream.activities());
      watermark = stream.frames.at(-1)?.watermark ?? watermark;
    }
    await speaking;
    expect(seen.map(({ text }) => text)).toEqual(upTo(40));
    expect(new Set(seen.map(({ id }) => id)).size).toBe(80);
  });

  it('to a long conversation brings all of it, page by page', async () => {
    const paged = await start({ stream: { page: 5 } });
    visitor = await newVisitor(paged);
    await sayMany(12);
    const stream = await comeBack(visitor);
    await expect.poll(() => stream.texts()).toEqual(upTo(12));
    const replies = stream.activities().filter(({ from }) => from.role === 'bot');
    expect(replies.every(({ replyToId }) => replyToId !== undefined)).toBe(true);
  });

  it('while messages arrive mixes neither their order nor their number', async () => {
    const paged = await start({ stream: { page: 4 } });
    visitor = await newVisitor(paged);
    await sayMany(30);
    const [stream] = await Promise.all([comeBack(visitor), sayMany(30, 31)]);
    await expect.poll(() => stream.texts(), { timeout: 5000 }).toEqual(upTo(60));
  });
});

describe('hints', () => {
  it('that are lost only delay: the sweep repairs them', async () => {
    const deaf = await start({ parts: { wake: new LocalWake(() => undefined) } });
    const guest = await newVisitor(deaf);
    const stream = await openStream(guest.streamUrl);
    await guest.say('hi');
    await pause(100);
    expect(stream.texts()).toEqual([]);
    await deaf.directLine.sweep();
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });

  it('are swept without being asked', async () => {
    const deaf = await start({ parts: { wake: new LocalWake(() => undefined) }, stream: { sweepMs: 100 } });
    const guest = await newVisitor(deaf);
    const stream = await openStream(guest.streamUrl);
    await guest.say('hi');
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });

  it('without rows, from another instance, are read from the record', async () => {
    const wake = new LocalWake(() => undefined);
    const second = await start({ parts: { keys: channel.keys, wake } });
    const there = { ...visitor, address: visitor.address.replace(channel.base, second.base) };
    const stream = await comeBack(there);
    channel.wake.subscribe(({ conversationId, seq }) => wake.publish({ conversationId, seq }));
    await visitor.say('hi');
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });

  it('that come late, twice, in the wrong order or beyond the record change nothing', async () => {
    const wake = new LocalWake(() => undefined);
    const hints: WakeHint[] = [];
    channel.wake.subscribe((hint) => hints.push(hint));
    const second = await start({ parts: { keys: channel.keys, wake } });
    const stream = await comeBack({ ...visitor, address: visitor.address.replace(channel.base, second.base) });
    await sayMany(3);
    for (const index of [2, 0, 1, 2, 2, 0]) {
      const hint = hints[index];
      if (hint) wake.publish(hint);
    }
    wake.publish({ conversationId: visitor.conversationId, seq: 99 });
    await expect.poll(() => stream.texts()).toEqual(upTo(3));
    await pause(100);
    expect(stream.texts()).toEqual(upTo(3));
    await sayMany(1, 4);
    for (const hint of hints.slice(3)) wake.publish(hint);
    await expect.poll(() => stream.texts()).toEqual(upTo(4));
  });

  it('for a record that cannot be read now are made good by the sweep', async () => {
    let broken = false;
    const record = new WebChat(scratch.database);
    const flaky = Object.create(record, {
      rowsAfter: {
        value: (...args: Parameters<WebChat['rowsAfter']>) =>
          broken ? Promise.reject(new Error('away')) : record.rowsAfter(...args),
      },
    }) as WebChat;
    const shaky = await start({ parts: { record: bound(record, flaky), wake: new LocalWake(() => undefined) } });
    const guest = await newVisitor(shaky);
    const stream = await openStream(guest.streamUrl);
    broken = true;
    await guest.say('hi');
    await shaky.directLine.sweep();
    broken = false;
    await shaky.directLine.sweep();
    await expect.poll(() => stream.texts()).toEqual(['hi', 'echo: hi']);
  });
});

describe('a ticket', () => {
  it('is good once', async () => {
    const stream = await openStream(visitor.streamUrl);
    await expect(openStream(visitor.streamUrl)).rejects.toThrow('403');
    stream.socket.close();
  });

  it('is good for a minute', async () => {
    channel.pass(61);
    await expect(openStream(visitor.streamUrl)).rejects.toThrow('403');
  });

  it('is good for its own conversation, and cannot be left out or made up', async () => {
    const other = await newVisitor(channel);
    await expect(openStream(visitor.streamUrl.replace(visitor.conversationId, other.conversationId))).rejects.toThrow(
      '403',
    );
    const bare = visitor.streamUrl.replace(/t=.*/, '');
    await expect(openStream(bare)).rejects.toThrow('403');
    await expect(openStream(`${bare}t=${visitor.token}`)).rejects.toThrow('403');
  });

  it('opens no stream for pages of other sites, unless the bank lists them', async () => {
    await expect(openStream(visitor.streamUrl, { origin: 'https://evil.example' })).rejects.toThrow('403');
    const own = await call(visitor.address, visitor.token);
    await openStream(own.body.streamUrl, { origin: channel.base });
    const site = 'https://www.bank.example';
    const bank = await start({ config: { chatOrigins: [site] } });
    await openStream((await newVisitor(bank)).streamUrl, { origin: site });
  });

  it('opens no stream at other addresses', async () => {
    await expect(openStream(`${channel.base.replace('http', 'ws')}/elsewhere`)).rejects.toThrow('404');
    await expect(openStream(`${channel.domain.replace('http', 'ws')}/conversations/%ff/stream?t=x`)).rejects.toThrow(
      '403',
    );
  });

  it('survives a caller that hangs up in the middle of the handshake', async () => {
    const { port } = new URL(channel.base);
    for (let index = 0; index < 20; index += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `GET ${new URL(visitor.streamUrl).pathname}?t=x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      );
      setTimeout(() => socket.resetAndDestroy(), index);
    }
    await pause(100);
    expect((await visitor.say('still here')).status).toBe(200);
  });
});

describe('a live stream', () => {
  it('ends when its token has, unless the client refreshed it', async () => {
    const [kept, left] = [visitor, await newVisitor(channel)];
    const [refreshed, expired] = [await openStream(kept.streamUrl), await openStream(left.streamUrl)];
    channel.pass(20 * 60);
    await postJson(`${channel.domain}/tokens/refresh`, kept.token, {});
    channel.pass(12 * 60);
    await channel.directLine.sweep();
    expect(await expired.closed).toBe(1008);
    expect(refreshed.socket.readyState).toBe(1);
  });

  it('ends when its family was revoked elsewhere, at the next sweep', async () => {
    const stream = await openStream(visitor.streamUrl);
    await scratch.database.query('update dl_session set revoked_at = now() where user_id = $1', [visitor.userId]);
    await channel.directLine.sweep();
    expect(await stream.closed).toBe(1008);
  });

  it('is told to come back when the service stops', async () => {
    const stream = await openStream(visitor.streamUrl);
    await channel.directLine.close();
    expect(await stream.closed).toBe(1012);
  });

  it('that nobody is behind any more is given up', async () => {
    const brisk = await start({ stream: { pingMs: 100 } });
    const guest = await newVisitor(brisk);
    const stream = await openStream(guest.streamUrl);
    // A client whose machine sleeps: nothing it is sent is ever read.
    (stream.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    const counted = await start({ stream: { pingMs: 100 } });
    const alive = await openStream((await newVisitor(counted)).streamUrl);
    await pause(400);
    (stream.socket as unknown as { _socket: { resume(): void } })._socket.resume();
    expect(await stream.closed).toBe(1006);
    expect(alive.socket.readyState).toBe(1);
  });

  it('that cannot keep up is closed with 1013 and loses nothing by coming back', async () => {
    const narrow = await start({ stream: { bufferedBytes: 100_000 } });
    visitor = await newVisitor(narrow);
    const stream = await openStream(visitor.streamUrl);
    const raw = (stream.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket;
    raw.pause();
    const text = '字'.repeat(4000);
    // The system's own buffers take the first megabytes; only then does ours grow.
    const [row] = await fill(visitor, text, 400);
    expect(row).toBe(200);
    raw.resume();
    expect(await stream.closed).toBe(1013);
    const got = stream.activities().length;
    expect(got).toBeLessThan(800);
    const rest = await comeBack(visitor, stream.frames.at(-1)?.watermark ?? '');
    await expect.poll(() => got + rest.activities().length, { timeout: 10_000 }).toBe(800);
  }, 60_000);
});

async function fill(guest: Visitor, text: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await guest.say(text)).status);
  return statuses;
}

function countingReads(database: Database): { record: WebChat; reads(): number } {
  let reads = 0;
  const record = new WebChat(database);
  const counting = {
    rowsAfter(...args: Parameters<WebChat['rowsAfter']>) {
      reads += 1;
      return record.rowsAfter(...args);
    },
  };
  return { record: bound(record, counting), reads: () => reads };
}

/** The record with some of its methods replaced. */
function bound(record: WebChat, replaced: Partial<WebChat>): WebChat {
  return new Proxy(record, {
    get(target, name) {
      const method = Object.hasOwn(replaced, name) ? replaced[name as keyof WebChat] : target[name as keyof WebChat];
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}
