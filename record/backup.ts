/** Copying the whole record: out of one database as it stood at one moment, and into an empty one, whole or not at all. */

import {
  BackupError,
  type BackupHeader,
  BackupReader,
  copyIn,
  firstLines,
  lastLine,
  lineBefore,
  linesAfter,
  quoted,
  RowSum,
  type TableForm,
} from './backup-file.ts';
import { checksum, type Migration, migrate } from './database.ts';
import type { Database } from './types.ts';

/** Rows leaving a table, in PostgreSQL's copy text. */
export interface RowsOut extends AsyncIterable<Buffer> {
  /** How many the server says it sent. Call it after the last one. */
  sent(): Promise<number>;
}

/** One transaction that can also move rows by PostgreSQL's `copy`. `adapters/postgres/copy.ts` opens one. */
export interface CopyDatabase extends Database {
  copyOut(statement: string): RowsOut;
  copyIn(statement: string, rows: AsyncIterable<Buffer>): Promise<void>;
}

/** Told while a table is copied: its rows so far, and `whole` when it is done. */
export type Progress = (table: string, rows: number, whole: boolean) => void;

/** What a backup leaves out: the migrations are made anew from their files, and processes come and go. */
const LEFT_OUT = ['migration', 'instance'];

/** Two restores into one database take turns; the second then finds it filled. */
const RESTORE_LOCK = 6_071_003;

/** A process that beat within this time is alive; one that was killed seems so. */
const ALIVE_WITHIN_S = 30;

/** A table here; `columns` without those the database computes itself. */
interface Table extends TableForm {
  /** The primary key as an order that no collation changes, so that the same rows are the same text on every server. */
  readonly order: string;
  readonly refersTo: readonly string[];
}

/** Throws `database_not_lobby` when this database holds no record. */
export async function refuseWithoutRecord(database: Database): Promise<void> {
  const [found] = await database.query<{ found: boolean }>(
    `select to_regclass('migration') is not null and to_regclass('instance') is not null as found`,
  );
  if (!found?.found) throw notLobby();
}

/**
 * Keeps every Lobby from beginning to work on this database until the transaction ends; throws `service_running` when one
 * works there already. Must come first in its transaction, so that what the transaction sees is what was left behind.
 */
export async function keepServiceOut(database: Database): Promise<void> {
  try {
    await database.query('lock table instance in share mode');
  } catch (error) {
    throw (error as { code?: string }).code === '42P01' ? notLobby() : error;
  }
  await refuseWhileServed(database);
}

async function refuseWhileServed(database: Database): Promise<void> {
  const [row] = await database.query<{ alive: boolean }>(
    `select exists (select from instance where seen_at > now() - $1::int * interval '1 second') as alive`,
    [ALIVE_WITHIN_S],
  );
  if (!row?.alive) return;
  throw new BackupError(
    'service_running',
    `Lobby is running on this database, or was killed less than ${ALIVE_WITHIN_S} seconds ago. Stop it and try again.`,
  );
}

/**
 * The bytes of a backup. The transaction must be `repeatable read`, so that everything is seen as at one moment.
 *
 * @example for await (const bytes of copyRecord(database, progress)) await file.write(bytes)
 */
export async function* copyRecord(database: CopyDatabase, progress: Progress): AsyncGenerator<Buffer> {
  const tables = await readTables(database);
  yield firstLines(await readHeader(database, tables));
  for (const table of tables) {
    yield lineBefore(table);
    const sum = new RowSum();
    for await (const chunk of rowsOf(database, table, sum)) {
      yield chunk;
      progress(table.name, sum.rows, false);
    }
    yield linesAfter(sum.close(table.name));
    progress(table.name, sum.rows, true);
  }
  yield lastLine(tables.length);
}

/** The rows of a table in the order of its key, summed up as they pass. Throws when they are not all there were. */
async function* rowsOf(database: CopyDatabase, table: Table, sum: RowSum): AsyncGenerator<Buffer> {
  const columns = table.columns.map(quoted).join(', ');
  const rows = database.copyOut(
    `copy (select ${columns} from ${quoted(table.name)} order by ${table.order}) to stdout`,
  );
  for await (const chunk of rows) {
    sum.add(chunk);
    yield chunk;
  }
  const sent = await rows.sent();
  if (sent !== sum.rows) throw new Error(`PostgreSQL sent ${sent} rows of ${table.name}, and ${sum.rows} arrived.`);
}

/** Reads a backup through without using it. Resolves to what it says of itself, when all of that is true. */
export async function checkBackup(source: AsyncIterable<Buffer>, progress: Progress): Promise<BackupHeader> {
  const reader = new BackupReader(source);
  try {
    const header = await reader.header();
    for (const table of header.tables) {
      await pass(reader, table);
      progress(table.name, reader.last.rows, true);
    }
    await reader.end(header.tables.length);
    return header;
  } finally {
    await reader.close();
  }
}

async function pass(reader: BackupReader, table: TableForm): Promise<void> {
  for await (const _ of reader.rows(table));
}

/** How a backup is loaded. */
export interface Loading {
  /** Every migration this program knows. */
  readonly migrations: readonly Migration[];
  /** True when Lobby may have gone on working after the backup was taken: see {@link distrustOutbox}. */
  readonly stale: boolean;
  readonly progress: Progress;
}

/** What was loaded, and which of the backup's tables were not because none of Lobby's migrations makes them. */
export interface Loaded {
  readonly header: BackupHeader;
  readonly leftOut: readonly string[];
}

/**
 * Fills an empty database: makes the tables as they were when the backup was taken, loads them, compares what they now
 * hold with what was copied, and brings them up to date. All in the caller's transaction.
 */
export async function loadRecord(
  database: CopyDatabase,
  source: AsyncIterable<Buffer>,
  { migrations, stale, progress }: Loading,
): Promise<Loaded> {
  const reader = new BackupReader(source);
  try {
    const header = await reader.header();
    const then = migrationsOf(header, migrations);
    await refuseUnlessEmpty(database, then);
    await migrate(database, then);
    const tables = await readTables(database);
    const names = tables.map(({ name }) => quoted(name)).join(', ');
    // A migration may have put rows there; the backup has them as they became.
    await database.query(`truncate ${names}`);
    const leftOut = await loadTables(database, reader, { header, tables, progress });
    for (const { name, last } of header.sequences) {
      await database.query('select setval($1::text::regclass, $2)', [quoted(name), last]);
    }
    if (stale) await distrustOutbox(database);
    await migrate(database, migrations);
    await database.query(`analyze ${names}`);
    return { header, leftOut };
  } finally {
    await reader.close();
  }
}

/** Resolves to the names of the tables that were left out. */
async function loadTables(
  database: CopyDatabase,
  reader: BackupReader,
  parts: { readonly header: BackupHeader; readonly tables: readonly Table[]; readonly progress: Progress },
): Promise<string[]> {
  const { header, tables, progress } = parts;
  const missing = tables.find(({ name }) => !header.tables.some((each) => each.name === name));
  if (missing) throw otherTables(missing.name);
  const leftOut: string[] = [];
  for (const form of header.tables) {
    const { name, columns } = form;
    const table = tables.find((each) => each.name === name);
    if (!table) {
      leftOut.push(name);
      await pass(reader, form);
      continue;
    }
    if ([...columns].sort().join() !== [...table.columns].sort().join()) throw otherTables(name);
    await loadTable(database, reader, { ...table, columns });
    progress(name, reader.last.rows, true);
  }
  await reader.end(header.tables.length);
  return leftOut;
}

/** Loads one table and reads it back. */
async function loadTable(database: CopyDatabase, reader: BackupReader, table: Table): Promise<void> {
  await database.copyIn(copyIn(table), reader.rows(table));
  const loaded = new RowSum();
  for await (const _ of rowsOf(database, table, loaded));
  if (loaded.close(table.name).sha256 === reader.last.sha256) return;
  throw new BackupError(
    'database_differs',
    `This PostgreSQL does not give the rows of ${table.name} back as they were copied.`,
  );
}

/**
 * A message that was waiting when the backup was taken may have been sent since. One that must arrive is sent again; any
 * other is not, but stands where an administrator sees it.
 */
async function distrustOutbox(database: Database): Promise<void> {
  await database.query(
    `update outbox
        set state = 'unknown', outcome = 'unknown', errcode = 'restored', lease_token = null, done_at = now()
      where state in ('ready', 'leased', 'held') and class <> 'must'`,
  );
}

async function readHeader(database: Database, tables: readonly Table[]): Promise<BackupHeader> {
  const [facts] = await database.query<Pick<BackupHeader, 'takenAt' | 'server' | 'demo' | 'keyId'>>(
    `select now() as "takenAt", current_setting('server_version') as server,
            exists (select from fact where key = 'demo') as demo,
            (select key_id from wrapped_key where purpose = 'thread-index') as "keyId"`,
  );
  if (!facts) throw notLobby();
  const migrations = await database.query<BackupHeader['migrations'][number]>(
    'select name, checksum from migration order by name',
  );
  // Sequences stand outside of transactions: read now, they are at or beyond every row that is copied.
  const sequences = await database.query<BackupHeader['sequences'][number]>(
    `select sequencename as name, last_value as last from pg_sequences
      where schemaname = current_schema() and last_value is not null order by 1`,
  );
  return {
    ...facts,
    migrations,
    tables: tables.map(({ name, columns }) => ({ name, columns })),
    sequences,
  };
}

/** The tables of the record, those that others refer to first. */
async function readTables(database: Database): Promise<Table[]> {
  const tables = await database.query<Table>(
    `select c.relname as name,
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                   order by a.attnum) as columns,
            (select string_agg(quote_ident(a.attname) || case when a.attcollation = 0 then '' else ' collate "C"' end, ', ' order by k.place)
               from pg_constraint p, unnest(p.conkey) with ordinality k(attnum, place), pg_attribute a
              where p.conrelid = c.oid and p.contype = 'p' and a.attrelid = c.oid and a.attnum = k.attnum) as "order",
            array(select distinct r.relname::text from pg_constraint f join pg_class r on r.oid = f.confrelid
                   where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as "refersTo"
       from pg_class c
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> all ($1)
      order by c.relname`,
    [LEFT_OUT],
  );
  return inOrderOfReference(tables);
}

function inOrderOfReference(tables: readonly Table[]): Table[] {
  const ordered: Table[] = [];
  const left = [...tables];
  while (left.length > 0) {
    const next = left.findIndex(({ refersTo }) => !left.some(({ name }) => refersTo.includes(name)));
    if (next === -1)
      throw new Error(`These tables refer to each other in a circle: ${left.map(({ name }) => name).join(', ')}.`);
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}

/** The migrations the backup's tables were made by. */
export function migrationsOf(header: BackupHeader, known: readonly Migration[]): Migration[] {
  return header.migrations.map(({ name, checksum: was }) => {
    const migration = known.find((each) => each.name === name);
    if (!migration) {
      throw new BackupError(
        'backup_newer',
        `The backup has ${name}, which this Lobby does not know; restore it with the Lobby that took it, or a newer one.`,
      );
    }
    if (checksum(migration) !== was) {
      throw new BackupError(
        'backup_schema',
        `${name}.sql is not the file the backup's tables were made by; restore it with the Lobby that took it.`,
      );
    }
    return migration;
  });
}

/** Nothing may be there but tables that one of these migrations made, without rows. They are locked until the transaction ends. */
async function refuseUnlessEmpty(database: Database, migrations: readonly Migration[]): Promise<void> {
  await database.query('select pg_advisory_xact_lock($1)', [RESTORE_LOCK]);
  const found = await database.query<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  if (found.length === 0) return;
  const names = found.map(({ name }) => name);
  if (!names.includes('migration')) throw notEmpty('tables of something else');
  if (names.includes('instance')) await refuseWhileServed(database);
  const applied = await database.query<{ name: string }>('select name from migration order by name');
  const later = applied.find(({ name }) => !migrations.some((each) => each.name === name));
  if (later) throw notEmpty(`tables by ${later.name}, which the backup does not know`);
  const tables = names.filter((name) => name !== 'migration');
  await refuseRows(database, tables);
  await database.query(`lock table ${tables.map(quoted).join(', ')} in access exclusive mode`);
  // What a Lobby wrote before it had to wait.
  await refuseRows(database, tables);
}

async function refuseRows(database: Database, tables: readonly string[]): Promise<void> {
  for (const name of tables) {
    const [row] = await database.query<{ filled: boolean }>(`select exists (select from ${quoted(name)}) as filled`);
    if (row?.filled) throw notEmpty(`rows in ${name}`);
  }
}

function notLobby(): BackupError {
  return new BackupError('database_not_lobby', 'There is no record of Lobby in this database.');
}

function notEmpty(what: string): BackupError {
  return new BackupError(
    'database_not_empty',
    `The database to fill is not empty: it has ${what}. Nothing was changed; give it a new, empty one.`,
  );
}

function otherTables(name: string): BackupError {
  return new BackupError(
    'backup_schema',
    `The backup's ${name} is not the table that its migrations make; restore it with the Lobby that took it.`,
  );
}
