/** What the load posts to each kind of server, after what it must do to begin a conversation there. */

import { botFrameworkActivity, directLineActivity } from '../turn.ts';
import type { Post } from './http.ts';

/** How a server wants to be spoken to. */
export type Dialect =
  | 'constant'
  | 'reply-in-response'
  | 'service-url'
  | 'expect-replies'
  | 'naive'
  | 'lobby'
  | 'lobby-answering';

/** Which of several instances a conversation's messages go to: the one it began at, or any. */
export type Route = 'own' | 'any';

const TEXT = 'What do I do when I have lost my card?';

/** Begins conversation `index` and gives its post. */
export async function beginConversation(dialect: Dialect, port: number, sinkUrl: string, index: number): Promise<Post> {
  switch (dialect) {
    case 'constant':
      return { port, path: '/', headers: {}, body: directLineActivity(TEXT), expects: '"ok"' };
    case 'reply-in-response':
      return botPost(port, sinkUrl, index, {}, 'echo');
    case 'service-url':
      return botPost(port, sinkUrl, index, {}, '');
    case 'expect-replies':
      return botPost(port, sinkUrl, index, { deliveryMode: 'expectReplies' }, 'echo');
    case 'naive': {
      const { id } = await post<{ id: string }>(port, '/conversations', '');
      const body = directLineActivity(TEXT);
      return { port, path: `/conversations/${id}/activities`, headers: {}, body, expects: id };
    }
    case 'lobby':
    case 'lobby-answering':
      return beginDirectLine(port);
  }
}

function botPost(port: number, sinkUrl: string, index: number, more: object, expects: string): Post {
  const body = { ...botFrameworkActivity(TEXT, `conversation-${index}`, sinkUrl), ...more };
  return { port, path: '/api/messages', headers: {}, body, expects };
}

async function beginDirectLine(port: number): Promise<Post> {
  const { conversationId: id, token } = await beginChat(port);
  return {
    port,
    path: `/v3/directline/conversations/${id}/activities`,
    headers: { Authorization: `Bearer ${token}` },
    body: directLineActivity(TEXT),
    expects: id,
  };
}

/** A customer's way into a conversation of Lobby. */
export interface Chat {
  readonly conversationId: string;
  readonly token: string;
}

/** As Lobby's own page does it: a token, then a conversation. */
export async function beginChat(port: number): Promise<Chat> {
  const visitor = await post<{ token: string }>(port, '/api/chat/token', '');
  return await post<Chat>(port, '/v3/directline/conversations', visitor.token);
}

/** Reads a conversation back as its client would, and gives what was wrong with it: a fast turn that says nothing is no turn. */
export async function wrongWith(dialect: Dialect, { port, path, headers }: Post): Promise<string | null> {
  if (dialect !== 'lobby' && dialect !== 'lobby-answering') return null;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const { activities } = (await response.json()) as { activities: readonly { text?: string; from: { id: string } }[] };
  const [asked, ...said] = activities.slice(0, 3);
  const right =
    dialect === 'lobby'
      ? said.every(({ text }) => text?.startsWith('echo'))
      : said.some(({ text }) => text?.includes('lock the card'));
  if (asked?.text === TEXT && said.length === 2 && right) return null;
  return `the conversation begins ${JSON.stringify(activities.slice(0, 3))}`;
}

async function post<Answer>(port: number, path: string, token: string): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: '{}' });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
