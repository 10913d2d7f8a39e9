/**
 * The page's line to the bank: Direct Line 3.0 over HTTP and a WebSocket.
 * One object is one conversation. Everything arrives at least once and in order from the watermark on; the transcript drops repeats.
 */

import type { ChatTokenReply, ChatTokenRequest } from '../contract.ts';
import type { Outgoing } from './activity.ts';
import { ask, askJson, type Http, LineTrouble, type Question, troubleIn } from './http.ts';

/** The part of the browser's WebSocket that is used. */
export interface LineSocket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: never) => void) | null;
  close(): void;
}

export interface LineTools {
  readonly http: Http;
  readonly openSocket: (url: string) => LineSocket;
  /** Runs `work` once after `ms`; the returned function calls it off. */
  readonly timer: (ms: number, work: () => void) => () => void;
  /** In [0, 1). Spreads reconnects, so that customers do not all come back at once. */
  readonly random: () => number;
}

/** `live`: what the bank says arrives. `broken`: the line is trying to come back. `busy`: the bank asked it to wait. */
export type LineStatus = 'connecting' | 'live' | 'broken' | 'busy';

export interface LineEvents {
  /** The bank knows this browser by this credential from now on. */
  visitor(credential: string): void;
  /** The conversation exists. `fresh` when it was begun just now. */
  opened(conversation: { readonly id: string; readonly userId: string; readonly fresh: boolean }): void;
  activities(batch: readonly unknown[]): void;
  status(status: LineStatus): void;
  /** The conversation cannot be continued; this line has ended. */
  lost(): void;
}

export interface LineStart {
  readonly visitor: string | undefined;
  /** The conversation to go on with; none begins a new one. */
  readonly conversationId: string | undefined;
}

const API = '/v3/directline';
const OPEN_LIMIT_MS = 10_000;
const SETTLED_MS = 3_000;
const POLL_MS = 1_500;
/** How long to poll before a blocked socket is tried again. */
const POLL_SPELL_MS = 60_000;
const BLOCKED_AFTER = 2;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export class DirectLine {
  readonly #tools: LineTools;
  readonly #events: LineEvents;
  #visitor: string | undefined;
  #conversationId: string | undefined;
  #grant: ChatTokenReply | undefined;
  #granting: Promise<ChatTokenReply> | undefined;
  #watermark = '';
  #status: LineStatus = 'connecting';
  #socket: LineSocket | undefined;
  #failures = 0;
  #blocked = 0;
  #stopped = false;
  #cancelRefresh = (): void => undefined;
  #endPause = (): void => undefined;

  constructor(tools: LineTools, events: LineEvents, start: LineStart) {
    this.#tools = tools;
    this.#events = events;
    this.#visitor = start.visitor;
    this.#conversationId = start.conversationId;
  }

  /** Keeps the line up until it is stopped or lost. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#follow(await this.#connect());
      } catch (error) {
        if (this.#isOver(error)) return;
        await this.#recover(error);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRefresh();
    this.#socket?.close();
    this.#endPause();
  }

  /** The network or the screen came back, or something is missing: look now instead of waiting. */
  async nudge(): Promise<void> {
    this.#endPause();
    if (this.#status !== 'live' || this.#stopped) return;
    try {
      // What a poll finds first, the socket should have brought: it is dead without knowing it.
      if (await this.#poll()) this.#socket?.close();
    } catch (error) {
      if (troubleIn(error).kind !== 'busy') this.#socket?.close();
    }
  }

  /** Posts under `key`: repeating it never doubles. */
  async post(activity: Outgoing, key: string, locale: string): Promise<void> {
    await this.#ask((id) => `${API}/conversations/${id}/activities`, { body: toWire(activity, key, locale) });
  }

  async upload(file: File, key: string, locale: string): Promise<void> {
    const activity = {
      ...toWire({ type: 'message' }, key, locale),
      attachments: [{ contentType: file.type, name: file.name }],
    };
    const form = new FormData();
    form.append(
      'activity',
      new Blob([JSON.stringify(activity)], { type: 'application/vnd.microsoft.activity' }),
      'blob',
    );
    form.append('file', file, file.name);
    const userId = encodeURIComponent((await this.#granted()).userId);
    await this.#ask((id) => `${API}/conversations/${id}/upload?userId=${userId}`, { body: form, limitMs: 120_000 });
  }

  /** The bank vouches for who the customer is; the conversation goes on. */
  async signIn(bankToken: string): Promise<void> {
    const { visitor, conversationId } = await this.#granted();
    const body: ChatTokenRequest = { visitor, conversationId, bankToken };
    this.#keepGrant((await askJson(this.#tools.http, '/api/chat/token', { body })) as ChatTokenReply);
  }

  /** The conversation as a text file. */
  async copy(language: string): Promise<Blob> {
    return (await this.#ask(() => `/api/chat/copy?lang=${language}`, { method: 'GET' })).blob();
  }

  async #connect(): Promise<string> {
    const { userId } = await this.#granted();
    const reply = this.#conversationId === undefined ? await this.#begin() : await this.#resume();
    const id = String(reply.conversationId);
    this.#events.opened({ id, userId, fresh: this.#conversationId === undefined });
    this.#conversationId = id;
    return String(reply.streamUrl);
  }

  async #begin(): Promise<Readonly<Record<string, unknown>>> {
    const { userId } = await this.#granted();
    return (await this.#ask(() => `${API}/conversations`, { body: { user: { id: userId } } })).json();
  }

  async #resume(): Promise<Readonly<Record<string, unknown>>> {
    const watermark = encodeURIComponent(this.#watermark);
    return (await this.#ask((id) => `${API}/conversations/${id}?watermark=${watermark}`, { method: 'GET' })).json();
  }

  /** Stays until the stream has ended. */
  async #follow(streamUrl: string): Promise<void> {
    if (this.#blocked >= BLOCKED_AFTER) return this.#pollForAWhile();
    const opened = await this.#listen(streamUrl);
    this.#blocked = opened ? 0 : this.#blocked + 1;
    if (!this.#stopped) throw new LineTrouble({ kind: 'network' });
  }

  /** Resolves when the socket has closed, with whether it had ever opened. */
  #listen(streamUrl: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = this.#tools.openSocket(streamUrl);
      this.#socket = socket;
      let opened = false;
      const giveUp = this.#tools.timer(OPEN_LIMIT_MS, () => socket.close());
      let settle = (): void => undefined;
      socket.onopen = () => {
        opened = true;
        giveUp();
        this.#setStatus('live');
        // A socket that opens and closes at once is still trouble: only one that lasts is a fresh start.
        settle = this.#tools.timer(SETTLED_MS, () => {
          this.#failures = 0;
        });
      };
      socket.onmessage = (event) => this.#takeFrame(event.data);
      socket.onclose = () => {
        giveUp();
        settle();
        if (this.#socket === socket) this.#socket = undefined;
        resolve(opened);
      };
    });
  }

  #takeFrame(data: unknown): void {
    if (typeof data !== 'string' || data === '') return;
    try {
      this.#take(Object(JSON.parse(data)));
    } catch {
      // A frame that does not read may hide an activity: come back from the watermark.
      this.#socket?.close();
    }
  }

  #take(frame: Readonly<Record<string, unknown>>): void {
    if (Array.isArray(frame.activities)) this.#events.activities(frame.activities);
    if (frame.watermark !== undefined) this.#watermark = String(frame.watermark);
  }

  async #pollForAWhile(): Promise<void> {
    let over = false;
    const cancel = this.#tools.timer(POLL_SPELL_MS, () => {
      over = true;
    });
    try {
      while (!over && !this.#stopped) {
        await this.#poll();
        this.#failures = 0;
        this.#setStatus('live');
        await this.#pause(POLL_MS);
      }
      this.#blocked = BLOCKED_AFTER - 1;
    } finally {
      cancel();
    }
  }

  /** True when there was something new. */
  async #poll(): Promise<boolean> {
    const before = this.#watermark;
    const watermark = encodeURIComponent(before);
    const reply = await this.#ask((id) => `${API}/conversations/${id}/activities?watermark=${watermark}`, {
      method: 'GET',
    });
    // The socket was faster.
    if (this.#watermark !== before) return false;
    this.#take(Object(await reply.json()));
    return this.#watermark !== before;
  }

  #isOver(error: unknown): boolean {
    if (this.#stopped) return true;
    if (troubleIn(error).kind !== 'gone') return false;
    this.stop();
    this.#events.lost();
    return true;
  }

  async #recover(error: unknown): Promise<void> {
    const trouble = troubleIn(error);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS) * (0.5 + this.#tools.random() / 2);
    this.#failures += 1;
    // The first drop heals within a second and nobody needs to read about it.
    if (trouble.kind === 'busy') this.#setStatus('busy');
    else if (this.#failures > 1 || this.#status !== 'live')
      this.#setStatus(this.#conversationId ? 'broken' : 'connecting');
    await this.#pause(trouble.kind === 'busy' ? trouble.waitMs : pause);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#tools.timer(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #setStatus(status: LineStatus): void {
    if (status === this.#status || this.#stopped) return;
    this.#status = status;
    this.#events.status(status);
  }

  /** Asks with the token; a token that has run out is renewed once. */
  async #ask(path: (conversationId: string) => string, question: Question): Promise<Response> {
    const { token, conversationId } = await this.#granted();
    const url = path(conversationId);
    try {
      return await ask(this.#tools.http, url, { ...question, token });
    } catch (error) {
      if (troubleIn(error).kind !== 'expired') throw error;
    }
    if (this.#grant?.token === token) this.#grant = undefined;
    const renewed = await this.#granted();
    try {
      return await ask(this.#tools.http, url, { ...question, token: renewed.token });
    } catch (error) {
      throw troubleIn(error).kind === 'expired' ? new LineTrouble({ kind: 'gone' }) : error;
    }
  }

  /** The token in force. Callers at the same moment share one request. */
  #granted(): Promise<ChatTokenReply> {
    if (this.#grant) return Promise.resolve(this.#grant);
    this.#granting ??= this.#requestGrant().finally(() => {
      this.#granting = undefined;
    });
    return this.#granting;
  }

  async #requestGrant(): Promise<ChatTokenReply> {
    const grant = await this.#requestToken({
      ...(this.#visitor && { visitor: this.#visitor }),
      ...(this.#conversationId && { conversationId: this.#conversationId }),
    });
    if (this.#conversationId && grant.conversationId !== this.#conversationId) throw new LineTrouble({ kind: 'gone' });
    this.#visitor = grant.visitor;
    this.#events.visitor(grant.visitor);
    this.#keepGrant(grant);
    return grant;
  }

  async #requestToken(body: ChatTokenRequest): Promise<ChatTokenReply> {
    try {
      return (await askJson(this.#tools.http, '/api/chat/token', { body })) as ChatTokenReply;
    } catch (error) {
      const { kind } = troubleIn(error);
      if (kind !== 'expired' && kind !== 'refused') throw error;
      if (body.conversationId) throw new LineTrouble({ kind: 'gone' }, { cause: error });
      if (!body.visitor) throw error;
    }
    // The bank no longer knows this browser: it is a new visitor.
    return this.#requestToken({});
  }

  #keepGrant(grant: ChatTokenReply): void {
    this.#grant = grant;
    this.#cancelRefresh();
    if (!this.#stopped)
      this.#cancelRefresh = this.#tools.timer(grant.expires_in * 500, () => void this.#refresh(grant));
  }

  /** Half-way through a token's life. When it fails, the next request finds out and renews. */
  async #refresh(grant: ChatTokenReply): Promise<void> {
    try {
      const reply = await askJson(this.#tools.http, `${API}/tokens/refresh`, { token: grant.token });
      this.#keepGrant({
        ...grant,
        token: String(reply.token),
        expires_in: Number(reply.expires_in) || grant.expires_in,
      });
    } catch {
      if (this.#grant === grant) this.#grant = undefined;
    }
  }
}

function toWire(activity: Outgoing, key: string, locale: string): Readonly<Record<string, unknown>> {
  const { postBack, ...rest } = activity;
  return {
    ...rest,
    ...(activity.text !== undefined && { textFormat: 'plain' }),
    channelId: 'webchat',
    from: { role: 'user' },
    locale,
    channelData: { clientActivityID: key, idempotencyKey: key, ...(postBack && { postBack }) },
  };
}
