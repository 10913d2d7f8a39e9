/** The web channel's part of the record: whose a conversation is, what its readers have seen, and the files customers send. */

import { toRecorded } from './conversations.ts';
import type { Database, RecordedActivity } from './types.ts';

type Begun = 'begun' | 'known' | 'foreign' | 'gone';
type Ownership = 'own' | 'foreign' | 'unknown';
type SessionState =
  | { readonly state: 'open'; readonly conversation: 'begun' | 'not_begun' | 'gone'; readonly tokenEndsAt: Date | null }
  | { readonly state: 'revoked' };

interface NewSession {
  readonly family: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly expiresAt: Date;
  readonly newVisitor: boolean;
}

interface Upload {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** Reads and writes what only the web channel needs. Each method is one round trip, but for files and pruning. */
export class WebChat {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes a token family that is being issued, and the visitor when they are new. */
  async openSession({ family, conversationId, userId, expiresAt, newVisitor }: NewSession): Promise<void> {
    await this.#database.query(
      `with visitor as (
         insert into dl_visitor (user_id) select $3 where $5::boolean on conflict do nothing
       )
       insert into dl_session (family, conversation_id, user_id, expires_at) values ($1, $2, $3, $4)`,
      [family, conversationId, userId, expiresAt, newVisitor],
    );
  }

  /** What the record says of a family and one of its tokens. A family nobody noted counts as revoked. */
  async sessionState(family: string, tokenId: string): Promise<SessionState> {
    const [row] = await this.#database.query<{
      revoked: boolean;
      ends_at: string | null;
      conversation: 'begun' | 'not_begun' | 'gone';
    }>(
      `select s.revoked_at is not null as revoked, e.ends_at,
              case when c.id is null then 'not_begun' when c.erased_at is null then 'begun' else 'gone' end as conversation
         from dl_session s
         left join dl_token_ended e on e.jti = $2
         left join conversation c on c.id = s.conversation_id
        where s.family = $1`,
      [family, tokenId],
      'web_session_state',
    );
    if (!row || row.revoked) return { state: 'revoked' };
    return {
      state: 'open',
      conversation: row.conversation,
      tokenEndsAt: row.ends_at === null ? null : new Date(row.ends_at),
    };
  }

  /** Ends one token at `endsAt` and prolongs its family. False when the family is revoked. */
  async renewSession(family: string, tokenId: string, endsAt: Date, expiresAt: Date): Promise<boolean> {
    const renewed = await this.#database.query(
      `with renewed as (
         update dl_session set expires_at = greatest(expires_at, $4) where family = $1 and revoked_at is null returning family
       ), ended as (
         insert into dl_token_ended (jti, family, ends_at) select $2, family, $3 from renewed on conflict do nothing
       )
       select family from renewed`,
      [family, tokenId, endsAt, expiresAt],
    );
    return renewed.length > 0;
  }

  /** Ends a visitor's credential and everything issued to them, for ever. */
  async forgetVisitor(userId: string): Promise<void> {
    await this.#database.query(
      `with visitor as (
         update dl_visitor set forgotten_at = coalesce(forgotten_at, now()) where user_id = $1
       )
       update dl_session set revoked_at = now() where user_id = $1 and revoked_at is null`,
      [userId],
    );
  }

  /** Ends everything issued for a conversation. */
  async revokeConversation(conversationId: string): Promise<void> {
    await this.#database.query(
      'update dl_session set revoked_at = now() where conversation_id = $1 and revoked_at is null',
      [conversationId],
    );
  }

  /** Whether this visitor may come back, and whose the conversation is. One that has a token but has not begun is its visitor's. */
  async visitor(
    userId: string | null,
    conversationId: string | null,
  ): Promise<{ welcome: boolean; conversation: Ownership }> {
    const [row] = await this.#database.query<{ welcome: boolean; conversation: Ownership }>(
      `select exists (select from dl_visitor v where v.user_id = $1 and v.forgotten_at is null) as welcome,
              case when c.erased_at is not null then 'unknown'
                   when c.id is not null then
                     case when i.channel = 'web' and i.external_id = $1 then 'own' else 'foreign' end
                   when s.mine is null then 'unknown'
                   when s.mine then 'own'
                   else 'foreign'
              end as conversation
         from (select $2::text as id) wanted
         left join conversation c on c.id = wanted.id
         left join identity i on i.id = c.identity_id
         left join lateral (
           select bool_or(x.user_id is not distinct from $1::text) as mine from dl_session x where x.conversation_id = wanted.id
         ) s on true`,
      [userId, conversationId],
    );
    return row ?? { welcome: false, conversation: 'unknown' };
  }

  /** Writes a conversation and the identity it belongs to, unless it is there already. No turn. */
  async begin(conversationId: string, userId: string): Promise<Begun> {
    const [row] = await this.#database.query<{ begun: Begun }>(
      'select web_begin($1, $2) as begun',
      [conversationId, userId],
      'web_begin',
    );
    return row?.begun ?? 'gone';
  }

  /** At most `limit` rows after `seq`, in order. Hidden rows keep their place with an empty body. */
  async rowsAfter(conversationId: string, seq: number, limit: number): Promise<readonly RecordedActivity[]> {
    const rows = await this.#database.query<Parameters<typeof toRecorded>[0]>(
      `select a.conversation_id, a.seq, a.turn, a.direction, a.speaker, a.at,
              case when a.direction = 'event' then '{}'::jsonb else a.body end as body
         from activity a
        where a.conversation_id = $1 and a.seq > $2
        order by a.seq
        limit $3`,
      [conversationId, seq, limit],
      'web_rows_after',
    );
    return rows.map(toRecorded);
  }

  /**
   * Notes how far clients have confirmed what they were shown; never backwards, never past what was said.
   * Locks in the order of the ids, as every batch of turns does, so that the two cannot deadlock.
   */
  async confirmSeen(confirmations: readonly { conversationId: string; seq: number }[]): Promise<void> {
    await this.#database.query(
      `with wanted as (
         select w.id, w.seq from unnest($1::text[], $2::bigint[]) w (id, seq)
       ), locked as (
         select c.id from conversation c where c.id = any ($1::text[]) order by c.id for no key update
       )
       update conversation c
          set seen_seq = least(w.seq, c.seq)
         from wanted w
         join locked l on l.id = w.id
        where c.id = w.id and c.seen_seq < least(w.seq, c.seq)`,
      [confirmations.map(({ conversationId }) => conversationId), confirmations.map(({ seq }) => seq)],
    );
  }

  /** Which of these open sockets are behind their conversation, and which may not go on. One query for all of them. */
  async sweep(
    sockets: readonly { family: string; seq: number }[],
    now: Date,
  ): Promise<readonly { index: number; finding: 'behind' | 'ended'; seq: number }[]> {
    const rows = await this.#database.query<{ place: number; ended: boolean; seq: number | null }>(
      `select w.place, c.seq,
              (s.revoked_at is null and s.expires_at > $3 and c.erased_at is null and c.id is not null) is not true as ended
         from unnest($1::uuid[], $2::bigint[]) with ordinality w (family, seq, place)
         left join dl_session s on s.family = w.family
         left join conversation c on c.id = s.conversation_id
        where c.seq > w.seq
           or (s.revoked_at is null and s.expires_at > $3 and c.erased_at is null and c.id is not null) is not true`,
      [sockets.map(({ family }) => family), sockets.map(({ seq }) => seq), now],
      'web_sweep',
    );
    return rows.map(({ place, ended, seq }) => ({
      index: place - 1,
      finding: ended ? 'ended' : 'behind',
      seq: seq ?? 0,
    }));
  }

  /** Keeps a message's files, all or none. False when the conversation would hold more than `roomBytes`, or is not there. */
  async keepUploads(
    conversationId: string,
    uploads: readonly (Upload & { id: string })[],
    roomBytes: number,
  ): Promise<boolean> {
    const needed = uploads.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return await this.#database.transaction(async (database) => {
      const [held] = await database.query<{ fits: boolean }>(
        `select coalesce((select sum(u.size) from upload u where u.conversation_id = c.id), 0) + $2 <= $3 as fits
           from conversation c
          where c.id = $1 and c.erased_at is null
            for no key update`,
        [conversationId, needed, roomBytes],
      );
      if (!held?.fits) return false;
      for (const { id, name, contentType, bytes } of uploads) {
        await database.query(
          'insert into upload (id, conversation_id, name, content_type, bytes) values ($1, $2, $3, $4, $5)',
          [id, conversationId, name, contentType, bytes],
        );
      }
      return true;
    });
  }

  /** Ties files to the message that carried them. */
  async claimUploads(ids: readonly string[], seq: number): Promise<void> {
    await this.#database.query('update upload set seq = $2 where id = any ($1)', [ids, seq]);
  }

  /** Throws away files whose message was refused or had come before. */
  async dropUploads(ids: readonly string[]): Promise<void> {
    await this.#database.query('delete from upload where id = any ($1) and seq is null', [ids]);
  }

  /** A file of a conversation; null when there is none, when its owner was forgotten, or the conversation erased. */
  async upload(conversationId: string, id: string): Promise<Upload | null> {
    const [row] = await this.#database.query<{ name: string; content_type: string; bytes: Buffer }>(
      `select u.name, u.content_type, u.bytes
         from upload u
         join conversation c on c.id = u.conversation_id and c.erased_at is null
         left join identity i on i.id = c.identity_id
         left join dl_visitor v on v.user_id = i.external_id
        where u.conversation_id = $1 and u.id = $2 and v.forgotten_at is null`,
      [conversationId, id],
    );
    return row ? { name: row.name, contentType: row.content_type, bytes: row.bytes } : null;
  }

  /** Throws away what nobody can use any more: families a day past their end, files no message carried, visitors who never spoke. */
  async prune(now: Date): Promise<void> {
    const yesterday = new Date(now.getTime() - 86_400_000);
    await this.#database.query('delete from dl_session where expires_at < $1', [yesterday]);
    await this.#database.query('delete from upload where seq is null and created_at < $1', [yesterday]);
    await this.#database.query(
      `delete from dl_visitor v
        where v.created_at < $1 and v.forgotten_at is null
          and not exists (select from dl_session s where s.user_id = v.user_id)
          and not exists (select from identity i where i.channel = 'web' and i.account = 'lobby' and i.external_id = v.user_id)`,
      [yesterday],
    );
  }
}
