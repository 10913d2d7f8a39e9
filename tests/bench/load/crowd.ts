/** The crowd: a process that holds the customers' ends of many WebSocket connections. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { answer } from '../ipc.ts';
import { directLineActivity } from '../turn.ts';
import { usage } from '../usage.ts';
import { connectionOf, eachOf } from './chats.ts';
import { beginChat, type Chat } from './posts.ts';

/** So many are admitted or connected at a time. */
const AT_ONCE = 32;
/** One message and its two replies. */
const ROWS_OF_A_TURN = 3;
const ANSWER_WITHIN_MS = 10_000;

/** A number of customers and the port of the server they come to. */
export interface CrowdOrder {
  readonly port: number;
  readonly count: number;
}

/** How the crowd's connections stand. */
export interface CrowdState {
  readonly open: number;
  /** Closed by the other side. */
  readonly lost: number;
}

let chats: readonly Chat[] = [];
const sockets: WebSocket[] = [];
let lost = 0;
let leaving = false;

async function admit({ port, count }: CrowdOrder): Promise<void> {
  const admitted: Chat[] = [];
  await eachOf(Array.from({ length: count }), AT_ONCE, async () => {
    admitted.push(await beginChat(port));
  });
  chats = admitted;
}

/** A ticket and a socket for the first `count` of those admitted. */
async function open({ port, count }: CrowdOrder): Promise<void> {
  leaving = false;
  await eachOf(chats.slice(0, count), AT_ONCE, async (chat) => {
    const { streamUrl } = await connectionOf(port, chat);
    await keep(new WebSocket(streamUrl, { perMessageDeflate: false }));
  });
}

/** Sockets to the bare server, which asks for nothing. */
async function openBare({ port, count }: CrowdOrder): Promise<void> {
  leaving = false;
  await eachOf(Array.from({ length: count }), AT_ONCE, () =>
    keep(new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false })),
  );
}

async function keep(socket: WebSocket): Promise<void> {
  await once(socket, 'open');
  socket.on('close', () => {
    if (!leaving) lost += 1;
  });
  sockets.push(socket);
}

/** Says something in the first `count` chats; resolves to how many saw their turn arrive on their socket, whole and in order. */
async function speak({ port, count }: CrowdOrder): Promise<number> {
  const told = await Promise.all(chats.slice(0, count).map((chat) => speakIn(port, chat)));
  return told.filter(Boolean).length;
}

async function speakIn(port: number, { conversationId, token }: Chat): Promise<boolean> {
  const socket = sockets.find(({ url }) => url.includes(conversationId));
  if (!socket) return false;
  const seen: number[] = [];
  const whole = new Promise<boolean>((resolve) => {
    setTimeout(resolve, ANSWER_WITHIN_MS, false).unref();
    socket.on('message', (frame: Buffer) => {
      seen.push(Number((JSON.parse(frame.toString()) as { watermark: string }).watermark));
      if (seen.length === ROWS_OF_A_TURN) resolve(seen.every((seq, index) => seq === index + 1));
    });
  });
  await fetch(`http://127.0.0.1:${port}/v3/directline/conversations/${conversationId}/activities`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(directLineActivity('Is anybody there?')),
  });
  return await whole;
}

function state(): CrowdState {
  return { open: sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length, lost };
}

async function leave(): Promise<void> {
  leaving = true;
  await eachOf(sockets.splice(0), AT_ONCE, async (socket) => {
    const gone = once(socket, 'close');
    socket.close();
    await gone;
  });
}

answer({ admit, open, openBare, speak, state, leave, usage });
