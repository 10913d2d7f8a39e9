/** Whole tables in and out of PostgreSQL: one transaction on a connection of its own, with the server's own copy streams. */

import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { CodedError } from '../channel.ts';
import { openClient, Transaction } from './database.ts';
import { asDatabaseError, isLost } from './errors.ts';

/** What `work` may do inside {@link inCopyTransaction}, besides what every transaction may. */
export interface CopyTransaction extends Transaction {
  /** The rows of a `copy … to stdout`. `sent` tells, after the last one, how many the server says there were. */
  copyOut(statement: string): AsyncIterable<Buffer> & { sent(): Promise<number> };
  /** Feeds a `copy … from stdin`. */
  copyIn(statement: string, rows: AsyncIterable<Buffer>): Promise<void>;
}

export interface CopySettings {
  readonly connectionString: string;
  readonly applicationName: string;
  /** `read`: everything is seen as at one moment, and nothing can be changed. */
  readonly mode: 'read' | 'write';
}

/** The oldest PostgreSQL that Lobby is tried on. */
const OLDEST_SERVER = 14;

/** Whatever the server or the login has set, the same row must be the same text, and no limit may end a long copy. */
const SESSION = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '3',
  // A policy that hid rows would make the copy smaller without a word.
  row_security: 'off',
  idle_in_transaction_session_timeout: '0',
  // New in PostgreSQL 17.
  transaction_timeout: '0',
};

/** Runs `work` in one transaction, which is undone when it throws. */
export async function inCopyTransaction<Result>(
  settings: CopySettings,
  work: (transaction: CopyTransaction) => Promise<Result>,
): Promise<Result> {
  const client = await openClient({ ...settings, statementTimeoutMs: 0, lockTimeoutMs: 10_000 });
  const transaction = new Copying(client);
  try {
    await prepareSession(client, settings.mode);
    return await transaction.run(() => work(transaction));
  } finally {
    await end(client, transaction.reusable);
  }
}

async function prepareSession(client: pg.Client, mode: CopySettings['mode']): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int / 10000 as version`,
  );
  const version = rows[0]?.version ?? 0;
  if (version < OLDEST_SERVER) {
    throw new CodedError('database_version', `This is PostgreSQL ${version}; Lobby needs ${OLDEST_SERVER} or newer.`);
  }
  const reading = { default_transaction_isolation: 'repeatable read', default_transaction_read_only: 'on' };
  await client.query(
    `select set_config(s.name, w.value, false) from json_each_text($1) w(name, value) join pg_settings s on lower(s.name) = lower(w.name)`,
    [JSON.stringify({ ...SESSION, ...(mode === 'read' && reading) })],
  );
}

/** A connection in the middle of a copy understands no farewell. */
async function end(client: pg.Client, reusable: boolean): Promise<void> {
  if (reusable) await client.end().catch(() => {});
  else (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

class Copying extends Transaction implements CopyTransaction {
  readonly #client: pg.Client;

  constructor(client: pg.Client) {
    super(client);
    this.#client = client;
  }

  copyOut(statement: string): AsyncIterable<Buffer> & { sent(): Promise<number> } {
    const stream = this.#client.query(copyTo(statement));
    return {
      [Symbol.asyncIterator]: () => this.#read(stream),
      sent: async () => {
        // The count comes behind the last row; after one more statement it is certainly here.
        await this.query('select');
        return stream.rowCount;
      },
    };
  }

  async *#read(stream: Readable): AsyncGenerator<Buffer> {
    let whole = false;
    try {
      for await (const chunk of stream) yield chunk as Buffer;
      whole = true;
    } catch (error) {
      whole = !isLost(error);
      throw asDatabaseError(error, 'before_commit');
    } finally {
      if (!whole) this.reusable = false;
    }
  }

  async copyIn(statement: string, rows: AsyncIterable<Buffer>): Promise<void> {
    let ours: unknown;
    async function* guarded(): AsyncGenerator<Buffer> {
      try {
        yield* rows;
      } catch (error) {
        ours = error;
        throw error;
      }
    }
    try {
      await pipeline(Readable.from(guarded(), { objectMode: false }), this.#client.query(copyFrom(statement)));
    } catch (error) {
      this.reusable = false;
      throw ours ?? asDatabaseError(error, 'before_commit');
    }
  }
}
