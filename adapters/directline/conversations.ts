/** What a Direct Line client does in its conversation: begin it, come back to it, say something, read on, send files. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RecordedActivity } from '../../record/types.ts';
import type { TurnGate } from '../channel.ts';
import { addressKey, answerJson, answerText, clientAddress, comeBackLater, HttpError, readJson } from '../http.ts';
import { type CarriedFile, type ClientActivity, keyOf, parseActivity, seenOf, toActivity } from './activity-in.ts';
import { activityId, type Rendering, renderSet, UPLOAD_SCHEME } from './activity-out.ts';
import type { DirectLineConfig } from './config.ts';
import { count, type Limiters } from './limits.ts';
import type { Origins } from './origins.ts';
import type { Clock, DirectLineMetrics, WebRecord } from './port.ts';
import type { Seen } from './seen.ts';
import { type Session, type Sessions, unknownConversation } from './sessions.ts';
import type { Stream } from './stream.ts';
import type { TokenClaims, Tokens } from './tokens.ts';
import { answerFile, readUpload } from './uploads.ts';

/** Rows a poll answers with at most. */
const POLL_PAGE = 200;
const UPLOADS_AT_ONCE = 16;

/** The conversation handlers' collaborators. */
export interface ConversationParts {
  readonly gate: TurnGate;
  readonly record: WebRecord;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly limiters: Limiters;
  readonly origins: Origins;
  readonly stream: Stream;
  readonly seen: Seen;
  readonly config: DirectLineConfig;
  readonly clock: Clock;
  readonly metrics: DirectLineMetrics | undefined;
  /** Whether new conversations should come back later. */
  readonly full: () => boolean;
}

/** A request as the router hands it over: the conversation (and file) the address names, and the query. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly conversationId: string;
  readonly uploadId: string;
  readonly query: URLSearchParams;
}

/** The handlers of `/v3/directline/conversations/…`. Each answers, or throws what is to be answered. */
export class Conversations {
  readonly #parts: ConversationParts;
  #uploading = 0;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /** `POST /conversations`: writes the conversation's row and no turn (ruling 44). Its id is the token's. */
  async start({ request, response }: Call): Promise<void> {
    const { sessions, limiters, record, origins, config } = this.#parts;
    const session = await sessions.of(request);
    origins.refuseForeign(request, session.claims.origins);
    await count(limiters.startsPerAddress, addressKey(clientAddress(request, config.trustedProxies)));
    if (this.#parts.full())
      throw comeBackLater(503, 'busy', 'Many customers are being served now. Try again in a moment.', 5);
    await readJson(request);
    const { conversationId, userId } = session.claims;
    const begun = await record.begin(conversationId, userId);
    switch (begun) {
      case 'begun':
      case 'known':
        sessions.begun(session);
        answerJson(response, begun === 'begun' ? 201 : 200, await this.#connection(request, session, 0));
        return;
      case 'foreign':
        throw new HttpError(403, 'other_conversation', 'This conversation belongs to somebody else.');
      case 'gone':
        throw unknownConversation();
    }
  }

  /** `GET /conversations/{id}?watermark=`: a new stream address, to go on after the watermark. */
  async reconnect({ request, response, conversationId, query }: Call): Promise<void> {
    const session = await this.#sessionIn(request, conversationId);
    await count(this.#parts.limiters.pollsPerConversation, conversationId);
    const watermark = watermarkOf(query);
    this.#parts.seen.note(conversationId, watermark);
    answerJson(response, 200, await this.#connection(request, session, watermark));
  }

  /** `GET /conversations/{id}/activities?watermark=`: what came after the watermark. */
  async poll({ request, response, conversationId, query }: Call): Promise<void> {
    const { claims } = await this.#sessionIn(request, conversationId);
    await count(this.#parts.limiters.pollsPerConversation, conversationId);
    const watermark = watermarkOf(query);
    this.#parts.seen.note(conversationId, watermark);
    const rows = await this.#parts.record.rowsAfter(conversationId, watermark, POLL_PAGE);
    const repeats = this.#parts.stream.polledRepeats(conversationId, rows.at(-1)?.seq ?? watermark);
    const rendering = this.rendering(claims, () => this.#parts.origins.own(request));
    answerJson(response, 200, renderSet(rows, watermark, rendering, repeats));
  }

  /** `POST /conversations/{id}/activities`: one message, one turn. */
  async post({ request, response, conversationId }: Call): Promise<void> {
    const { sessions, origins, limiters } = this.#parts;
    const session = await sessions.in(request, conversationId);
    origins.refuseForeign(request, session.claims.origins);
    await Promise.all([
      count(limiters.postsPerConversation, conversationId),
      count(limiters.postsPerUser, session.claims.userId),
    ]);
    const client = parseActivity(await readJson(request));
    const seen = seenOf(client);
    if (seen !== null) this.#parts.seen.note(conversationId, seen);
    // Neither is a turn: what was seen is a note, and that somebody types is gone the next moment.
    const seq = seen !== null || client.type === 'typing' ? 0 : (await this.#say(session, client, [])).seq;
    answerText(response, 200, `{"id":"${activityId(conversationId, seq)}"}`);
  }

  /** `POST /conversations/{id}/upload`: a message with files. */
  async upload({ request, response, conversationId }: Call): Promise<void> {
    const { sessions, origins, limiters, config } = this.#parts;
    const session = await sessions.inBegun(request, conversationId);
    origins.refuseForeign(request, session.claims.origins);
    if (!config.uploads) throw new HttpError(403, 'uploads_off', 'This service takes no files.');
    await count(limiters.uploadsPerConversation, conversationId);
    if (this.#uploading >= UPLOADS_AT_ONCE)
      throw comeBackLater(503, 'busy', 'Too many files arrive at once. Try again.', 2);
    this.#uploading += 1;
    try {
      const { activity, files } = await readUpload(request, config.uploads);
      const client = parseActivity(activity, files.length);
      const kept = files.map((file) => ({ ...file, id: this.#parts.tokens.newId() }));
      if (!(await this.#parts.record.keepUploads(conversationId, kept, config.uploads.conversationBytes))) {
        throw new HttpError(413, 'conversation_full', 'This conversation holds as many files as it may.');
      }
      const row = await this.#sayWithFiles(session, client, kept);
      answerText(response, 200, `{"id":"${activityId(conversationId, row.seq)}"}`);
    } finally {
      this.#uploading -= 1;
    }
  }

  /** `GET /conversations/{id}/uploads/{file}?s=`: a file, opened by the signature in its address. */
  async file({ response, conversationId, uploadId, query }: Call): Promise<void> {
    const { tokens, record } = this.#parts;
    if (!tokens.opensUpload(conversationId, uploadId, query.get('s') ?? '')) {
      throw new HttpError(403, 'link_expired', 'This link is no longer valid. Open the file from the chat.');
    }
    const file = await record.upload(conversationId, uploadId);
    if (!file) throw new HttpError(404, 'unknown_file', 'There is no such file.');
    answerFile(response, file);
  }

  /** How rows are shown to this user. `own` is asked only when there is an address to write. */
  rendering({ userId }: Pick<TokenClaims, 'userId'>, own: () => string): Rendering {
    const { tokens, config } = this.#parts;
    return {
      userId,
      botName: config.botName,
      uploadUrl: (conversationId, id) =>
        `${own()}/v3/directline/conversations/${conversationId}/uploads/${id}?s=${tokens.uploadSignature(conversationId, id)}`,
    };
  }

  async #sessionIn(request: IncomingMessage, conversationId: string): Promise<Session> {
    const session = await this.#parts.sessions.inBegun(request, conversationId);
    this.#parts.origins.refuseForeign(request, session.claims.origins);
    return session;
  }

  async #connection(request: IncomingMessage, { token, claims }: Session, watermark: number): Promise<object> {
    const { tokens, origins, clock } = this.#parts;
    const { conversationId } = claims;
    const ticket = await tokens.signTicket(claims, watermark);
    const stream = `${origins.own(request).replace(/^http/, 'ws')}/v3/directline/conversations/${conversationId}/stream`;
    return {
      conversationId,
      token,
      expires_in: Math.max(0, Math.floor((claims.expiresAt.getTime() - clock().getTime()) / 1000)),
      streamUrl: `${stream}?watermark=${watermark}&t=${ticket}`,
    };
  }

  /** Runs the turn, and answers with its first row: this message as it was recorded, now or before. */
  async #say({ claims }: Session, client: ClientActivity, files: readonly CarriedFile[]): Promise<Said> {
    const { gate, tokens, metrics, stream } = this.#parts;
    const { conversationId } = claims;
    const key = keyOf(client);
    if (key === null) metrics?.keyless();
    const outcome = await gate.receive({
      channel: 'web',
      conversationId,
      key: `web:${conversationId}:${key ?? `~${tokens.newId()}`}`,
      activity: toActivity(client, claims, files),
      delivery: { by: 'stream' },
    });
    switch (outcome.status) {
      case 'done':
        return { seq: firstOf(outcome.activities).seq, repeated: false };
      case 'repeat': {
        const row = firstOf(outcome.activities);
        const waiting = client.channelData?.clientActivityID;
        if (waiting !== undefined && waiting !== clientActivityOf(row))
          stream.repeat({ row, clientActivityID: waiting });
        return { seq: row.seq, repeated: true };
      }
      case 'busy':
        throw comeBackLater(
          429,
          'busy',
          'Your earlier messages are still being answered. Try again in a moment.',
          outcome.retryAfterSeconds,
        );
      case 'unavailable':
        throw comeBackLater(
          503,
          'unavailable',
          'Your message was not taken. Try again in a moment.',
          outcome.retryAfterSeconds,
        );
      case 'unknown_conversation':
        throw unknownConversation();
    }
  }

  /** Files are kept before the turn that refers to them; when it was refused, or had come before, they go again. */
  async #sayWithFiles(session: Session, client: ClientActivity, kept: readonly KeptFile[]): Promise<Said> {
    const { record } = this.#parts;
    const ids = kept.map(({ id }) => id);
    const carried = kept.map(({ id, name, contentType, bytes }) => ({
      contentType,
      name,
      contentUrl: `${UPLOAD_SCHEME}${id}`,
      size: bytes.length,
    }));
    let said: Said | undefined;
    try {
      said = await this.#say(session, client, carried);
      if (!said.repeated) await record.claimUploads(ids, said.seq);
      return said;
    } finally {
      if (said?.repeated !== false) await record.dropUploads(ids);
    }
  }
}

interface KeptFile {
  readonly id: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

interface Said {
  readonly seq: number;
  readonly repeated: boolean;
}

function firstOf(activities: readonly RecordedActivity[]): RecordedActivity {
  const [first] = activities;
  if (!first) throw new Error('A recorded turn has no rows.');
  return first;
}

function clientActivityOf({ body }: RecordedActivity): unknown {
  const { channelData } = body as { channelData?: { clientActivityID?: unknown } };
  return channelData?.clientActivityID;
}

/** The row a client has read up to; 0 for a client that has read nothing. */
function watermarkOf(query: URLSearchParams): number {
  const written = query.get('watermark') ?? '';
  if (written === '') return 0;
  if (!/^\d{1,15}$/.test(written))
    throw new HttpError(400, 'bad_watermark', 'The watermark must be one that this service gave.');
  return Number(written);
}
