/** The form of a backup: PostgreSQL's own copy text, table after table, between lines that say what it is and that it is whole. */

import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * Why a backup was not taken or not used. Nothing was changed.
 * - `backup_foreign`: the file is none of Lobby's.
 * - `backup_damaged`: it is cut short, or not as it was written.
 * - `backup_newer`: a newer Lobby took it.
 * - `backup_schema`: its tables are not the ones this Lobby's migrations make.
 * - `database_not_lobby`: the database to copy holds no record of Lobby.
 * - `database_not_empty`: the database to fill holds something.
 * - `database_differs`: what was loaded reads differently from what was copied.
 * - `service_running`: a Lobby works on the database.
 */
export class BackupError extends Error {
  readonly code:
    | 'backup_foreign'
    | 'backup_damaged'
    | 'backup_newer'
    | 'backup_schema'
    | 'database_not_lobby'
    | 'database_not_empty'
    | 'database_differs'
    | 'service_running';

  constructor(code: BackupError['code'], message: string) {
    super(message);
    this.name = 'BackupError';
    this.code = code;
  }
}

const Header = z.object({
  /** Everything committed before this instant is in the backup. */
  takenAt: z.iso.datetime(),
  /** The version of the PostgreSQL it was taken from. */
  server: z.string(),
  demo: z.boolean(),
  /** Names the DATA_KEY without which it cannot be used; null when Lobby never started on the database. */
  keyId: z.string().nullable(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  /** In an order in which every row's references are there before it. */
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()).readonly() })),
  /** The last number each sequence gave. */
  sequences: z.array(z.object({ name: z.string(), last: z.int() })),
});

/** What a backup says of itself before its rows. */
export type BackupHeader = z.output<typeof Header>;

const Sum = z.object({
  table: z.string(),
  rows: z.int(),
  /** SHA-256 of the rows, in hexadecimal. */
  sha256: z.string(),
});

/** A table of a backup. */
export interface TableForm {
  readonly name: string;
  readonly columns: readonly string[];
}

/** What a backup says of a table after its rows. */
export type TableSum = z.output<typeof Sum>;

const End = z.object({ end: z.int() });

const FIRST_LINE = '-- Lobby backup';
const FORMAT = 1;
/** Ends the rows of a table, as in `psql`: no row in copy text looks like it. */
const END_OF_ROWS = '\\.\n';
const LONGEST_LINE = 1_000_000;
const NEW_LINE = 0x0a;

/** Counts and hashes rows of copy text as they pass. In it a line end always ends a row. */
export class RowSum {
  rows = 0;
  readonly #hash = createHash('sha256');

  add(chunk: Buffer): void {
    for (let at = chunk.indexOf(NEW_LINE); at !== -1; at = chunk.indexOf(NEW_LINE, at + 1)) this.rows += 1;
    this.#hash.update(chunk);
  }

  close(table: string): TableSum {
    return { table, rows: this.rows, sha256: this.#hash.digest('hex') };
  }
}

export function firstLines(header: BackupHeader): Buffer {
  return Buffer.from(`${FIRST_LINE} ${FORMAT}\n${remark(header)}`);
}

/** The statement that takes a table's rows, here and in a backup. */
export function copyIn({ name, columns }: TableForm): string {
  return `copy ${quoted(name)} (${columns.map(quoted).join(', ')}) from stdin`;
}

/** A name as SQL has it, whatever it is. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function lineBefore(table: TableForm): Buffer {
  return Buffer.from(`${copyIn(table)};\n`);
}

export function linesAfter(sum: TableSum): Buffer {
  return Buffer.from(`${END_OF_ROWS}${remark(sum)}`);
}

export function lastLine(tables: number): Buffer {
  return Buffer.from(remark({ end: tables }));
}

function remark(value: object): string {
  return `-- ${JSON.stringify(value)}\n`;
}

/** Reads a backup from its first byte to its last. Call in the order of the file. Every disagreement throws. */
export class BackupReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #last: TableSum | undefined;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async header(): Promise<BackupHeader> {
    const format = new RegExp(`^${FIRST_LINE} (\\d+)$`).exec(await this.#line('backup_foreign'))?.[1];
    if (!format) throw foreign();
    if (Number(format) > FORMAT)
      throw new BackupError('backup_newer', 'A newer Lobby took this backup; restore it with that one.');
    return this.#remark(Header);
  }

  /** The rows of the next table, which must be this one. What the backup says of them is compared with what was read. */
  async *rows(table: TableForm): AsyncGenerator<Buffer> {
    const { name } = table;
    if ((await this.#line()) !== `${copyIn(table)};`) throw damaged(`${name} is not where it should be`);
    const read = new RowSum();
    for await (const chunk of this.#untilEndOfRows(name)) {
      read.add(chunk);
      yield chunk;
    }
    const said = await this.#remark(Sum);
    this.#last = read.close(name);
    if (said.rows !== this.#last.rows || said.sha256 !== this.#last.sha256) {
      throw damaged(`the rows of ${name} are not as they were written`);
    }
  }

  /** What the last table held. */
  get last(): TableSum {
    if (!this.#last) throw new TypeError('No table was read.');
    return this.#last;
  }

  async end(tables: number): Promise<void> {
    const { end } = await this.#remark(End);
    if (end !== tables || this.#rest.length > 0 || (await this.#more())) throw damaged('it does not end as it should');
  }

  /** Frees what the backup is read from, also before its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The end of rows is looked for as a whole line. Its first line end is the last row's: before any row we lend it one. */
  async *#untilEndOfRows(table: string): AsyncGenerator<Buffer> {
    const mark = `\n${END_OF_ROWS}`;
    let window: Buffer = Buffer.concat([Buffer.from('\n'), this.#rest]);
    let lent = 1;
    for (;;) {
      const at = window.indexOf(mark);
      const sure = at === -1 ? window.length - mark.length + 1 : at + 1;
      if (sure > lent) {
        yield window.subarray(lent, sure);
        lent = 0;
        window = window.subarray(sure);
      } else if (at !== -1) {
        window = window.subarray(sure);
      }
      if (at !== -1) break;
      this.#rest = Buffer.alloc(0);
      if (!(await this.#more())) throw damaged(`it ends among the rows of ${table}`);
      window = Buffer.concat([window, this.#rest]);
    }
    this.#rest = window.subarray(END_OF_ROWS.length);
  }

  async #remark<Shape extends z.ZodType>(shape: Shape): Promise<z.output<Shape>> {
    const line = await this.#line();
    try {
      return shape.parse(JSON.parse(line.replace(/^-- /, '')));
    } catch {
      throw damaged('a line that describes it is not readable');
    }
  }

  async #line(otherwise: 'backup_foreign' | 'backup_damaged' = 'backup_damaged'): Promise<string> {
    for (;;) {
      const at = this.#rest.indexOf(NEW_LINE);
      if (at !== -1) {
        const line = this.#rest.toString('utf8', 0, at);
        this.#rest = this.#rest.subarray(at + 1);
        return line;
      }
      if (this.#rest.length > LONGEST_LINE || !(await this.#more())) {
        throw otherwise === 'backup_foreign' ? foreign() : damaged('it is cut short');
      }
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#rest = Buffer.concat([this.#rest, next.value]);
    return true;
  }
}

function foreign(): BackupError {
  return new BackupError('backup_foreign', 'This is not a backup that Lobby took.');
}

function damaged(how: string): BackupError {
  return new BackupError('backup_damaged', `The backup is damaged: ${how}. Take another one.`);
}
