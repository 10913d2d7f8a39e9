/** The way to the customer record: a pool of connections to PostgreSQL whose errors say what was done and what was not. */

import pg from 'pg';
import type { Database } from '../../record/types.ts';
import { CodedError } from '../channel.ts';
import { asDatabaseError, isLost, isStalePlan, type Moment, refuseBrokenText } from './errors.ts';
import { valueTypes } from './values.ts';

export interface DatabaseSettings {
  readonly connectionString: string;
  /** Connections at most; 10 when absent. */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** The role of least privilege to work as, where the login may take it on: see {@link PostgresDatabase.role}. */
  readonly role?: string;
  /** 5,000 when absent; 0 for none, which migrations need. */
  readonly statementTimeoutMs?: number;
  /** 2,000 when absent; 0 for none. */
  readonly lockTimeoutMs?: number;
  /** How long a caller waits for a connection before the database counts as away; 2,000 when absent. */
  readonly connectTimeoutMs?: number;
}

export interface PostgresDatabase extends Database {
  /** The role every statement runs as; null when the server does not know it or the login may not take it on. */
  readonly role: string | null;
  /** Callers waiting for a connection now. */
  readonly waiting: number;
  /** Connections open now. */
  readonly size: number;
  /** Waits for running statements, then ends every connection. */
  close(): Promise<void>;
}

/** An idle connection is kept this long: opening one costs a password proof on both sides. */
const keepIdleMs = 300_000;
/** How much longer than the server's own limit we wait for a server that says nothing at all. */
const silenceMs = 2_000;

/**
 * Opens the pool, after one connection that proves the server answers, keeps UTF-8, and knows the role.
 * Times arrive as ISO instants, dates as `YYYY-MM-DD`, bigint as number.
 *
 * @example const database = await openDatabase({ connectionString: config.DATABASE_URL, role: 'lobby_app' })
 */
export async function openDatabase(settings: DatabaseSettings): Promise<PostgresDatabase> {
  const target = parseTarget(settings.connectionString);
  const role = await checkServer(target, settings);
  const statementTimeoutMs = settings.statementTimeoutMs ?? 5_000;
  const pool = new pg.Pool({
    ...connection(target, settings),
    options: sessionOptions(target.options, statementTimeoutMs, settings.lockTimeoutMs ?? 2_000, role),
    max: settings.max ?? 10,
    idleTimeoutMillis: keepIdleMs,
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + silenceMs }),
  });
  return new Pooled(pool, role);
}

/** One connection of its own, outside every pool, for what takes its time. Whoever opens it ends it. */
export async function openClient(settings: DatabaseSettings): Promise<pg.Client> {
  const target = parseTarget(settings.connectionString);
  const role = await checkServer(target, settings);
  const { statementTimeoutMs = 5_000, lockTimeoutMs = 2_000 } = settings;
  const client = new pg.Client({
    ...connection(target, settings),
    options: sessionOptions(target.options, statementTimeoutMs, lockTimeoutMs, role),
  });
  client.on('error', ignore);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw asDatabaseError(error, 'connecting');
  }
}

class Pooled implements PostgresDatabase {
  readonly role: string | null;
  readonly #pool: pg.Pool;
  #closing: Promise<void> | undefined;

  constructor(pool: pg.Pool, role: string | null) {
    this.#pool = pool;
    this.role = role;
    // A connection that breaks while nobody uses it is replaced when somebody needs one. Unheard, the event would end the process.
    pool.on('error', ignore);
    pool.on('connect', (client) => client.on('error', ignore));
  }

  get waiting(): number {
    return this.#pool.waitingCount;
  }

  get size(): number {
    return this.#pool.totalCount;
  }

  async query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
    try {
      return await this.#queryOnce<Row>(text, values, name);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      return this.#queryOnce<Row>(text, values, name);
    }
  }

  async transaction<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    const transaction = new Transaction(client);
    try {
      return await transaction.run(work);
    } finally {
      client.release(!transaction.reusable);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #queryOnce<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
    const client = await this.#connect();
    let reusable = true;
    try {
      return (await send<Row>(client, text, values, name)).rows;
    } catch (error) {
      reusable = isReusableAfter(error);
      throw asDatabaseError(error, 'alone');
    } finally {
      client.release(!reusable);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw asDatabaseError(error, 'connecting');
    }
  }
}

/** One connection inside `begin` … `commit`. A transaction inside it is a savepoint. */
export class Transaction implements Database {
  /** False when the connection's state is not known: it must not be used again. */
  reusable = true;
  readonly #client: pg.ClientBase;
  #open = true;
  #savepoints = 0;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  async run<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    await this.query('begin');
    try {
      const result = await work(this);
      await this.#commit();
      return result;
    } catch (error) {
      if (this.#open && this.reusable) await this.#rollback();
      throw error;
    } finally {
      this.#open = false;
    }
  }

  async query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
    if (!this.#open) throw new TypeError('This transaction is over; a statement of it was not awaited.');
    return (await this.#send<Row>('before_commit', text, values, name)).rows;
  }

  async transaction<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    this.#savepoints += 1;
    const savepoint = `part_${this.#savepoints}`;
    await this.query(`savepoint ${savepoint}`);
    try {
      const result = await work(this);
      await this.query(`release savepoint ${savepoint}`);
      return result;
    } catch (error) {
      if (this.reusable) await this.query(`rollback to savepoint ${savepoint}`);
      throw error;
    }
  }

  async #commit(): Promise<void> {
    this.#open = false;
    const { command } = await this.#send('commit', 'commit');
    // After a failed statement whose error was swallowed, the server answers commit with a rollback and no error.
    if (command !== 'COMMIT') {
      throw new CodedError(
        'database_rolled_back',
        'A statement of the transaction had failed, so nothing of it was kept.',
      );
    }
  }

  async #rollback(): Promise<void> {
    await this.#send('before_commit', 'rollback').catch(() => {
      this.reusable = false;
    });
  }

  async #send<Row extends object>(
    moment: Moment,
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<pg.QueryResult<Row>> {
    try {
      return await send<Row>(this.#client, text, values, name);
    } catch (error) {
      this.reusable &&= isReusableAfter(error);
      throw asDatabaseError(error, moment);
    }
  }
}

async function send<Row extends object>(
  client: pg.ClientBase,
  text: string,
  values?: readonly unknown[],
  name?: string,
): Promise<pg.QueryResult<Row>> {
  if (values) refuseBrokenText(values);
  const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>({
    text,
    ...(values && { values: [...values] }),
    ...(name && { name }),
  });
  // Several statements in one text, as migrations have them: the last one's rows are the answer.
  return Array.isArray(result) ? (result.at(-1) as pg.QueryResult<Row>) : result;
}

/** After a refusal or a time limit the connection goes on; after anything else it is thrown away. */
function isReusableAfter(error: unknown): boolean {
  return error instanceof CodedError || (error instanceof pg.DatabaseError && !isLost(error) && !isStalePlan(error));
}

interface Target {
  readonly url: string;
  /** Session settings that came with the address; the driver would let them replace ours. */
  readonly options: string;
}

function parseTarget(connectionString: string): Target {
  if (!/^postgres(ql)?:/.test(connectionString) || !URL.canParse(connectionString)) {
    throw new CodedError(
      'database_url_wrong',
      'DATABASE_URL is not the address of a PostgreSQL database, such as postgres://lobby:secret@127.0.0.1:5433/lobby.',
    );
  }
  const url = new URL(connectionString);
  const options = url.searchParams.get('options') ?? '';
  url.searchParams.delete('options');
  return { url: url.href, options };
}

function connection(target: Target, settings: DatabaseSettings): pg.ClientConfig {
  return {
    connectionString: target.url,
    application_name: settings.applicationName ?? 'lobby',
    connectionTimeoutMillis: settings.connectTimeoutMs ?? 2_000,
    keepAlive: true,
    types: valueTypes,
  };
}

/** Settings each session starts with, sent with its first packet: they cost no round trip. */
function sessionOptions(given: string, statementTimeoutMs: number, lockTimeoutMs: number, role: string | null): string {
  const settings: Record<string, string | number> = {
    default_transaction_isolation: 'read\\ committed',
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    timezone: 'UTC',
    datestyle: 'ISO',
    // An instance that hangs inside a transaction must not hold a conversation's row for ever.
    ...(statementTimeoutMs > 0 && { idle_in_transaction_session_timeout: 2 * statementTimeoutMs }),
    ...(role && { role }),
  };
  return [given, ...Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)].join(' ').trim();
}

/** Refuses a server that cannot keep Chinese; resolves to the role the login may take on. */
async function checkServer(target: Target, settings: DatabaseSettings): Promise<string | null> {
  const client = new pg.Client({
    ...connection(target, settings),
    query_timeout: silenceMs,
    ...(target.options && { options: target.options }),
  });
  client.on('error', ignore);
  try {
    await client.connect();
    const { rows } = await client.query<{ encoding: string; role: string | null }>(
      `select current_setting('server_encoding') as encoding,
              (select rolname::text from pg_roles
                where rolname = $1
                  and pg_has_role(session_user, oid, case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)) as role`,
      [settings.role ?? null],
    );
    if (rows[0]?.encoding !== 'UTF8') {
      throw new CodedError(
        'database_encoding',
        `The database keeps text as ${rows[0]?.encoding}; create it with encoding 'UTF8'.`,
      );
    }
    return rows[0].role;
  } catch (error) {
    throw asDatabaseError(error, 'connecting');
  } finally {
    await client.end().catch(ignore);
  }
}

function ignore(): void {}
