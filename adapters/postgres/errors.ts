/** What an error of PostgreSQL means to the bank: was the statement certainly not done, maybe done, or refused? */

import pg from 'pg';
import { CodedError } from '../channel.ts';

/**
 * How far a piece of work had come when its statement failed.
 * - `connecting`: nothing was sent.
 * - `alone`: the statement was its own transaction.
 * - `before_commit`: inside a transaction whose commit had not been asked for, so the server undoes it.
 * - `commit`: the commit itself.
 */
export type Moment = 'connecting' | 'alone' | 'before_commit' | 'commit';

/** SQLSTATEs with which the server ends the connection: shutdown, crash, dropped database, and its own time limits on sessions. */
const ended = new Set(['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25P04']);
/** The server cancelled the statement: at the statement time limit, at the lock time limit. */
const timedOut = new Set(['57014', '55P03']);
/** The server cannot write for anybody: it is a standby, or met an error of its disk. */
const notWritable = new Set(['25006', '58030']);

/** True when the connection can carry no further statement. */
export function isLost(error: unknown): boolean {
  if (isDefect(error)) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  const { code = '', severity } = error;
  return ended.has(code) || code.startsWith('08') || severity === 'FATAL' || severity === 'PANIC';
}

/** True when a statement prepared earlier no longer fits the tables, after a migration beside a running service. Nothing was done. */
export function isStalePlan(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === '26000' || (error.code === '0A000' && error.routine === 'RevalidateCachedQuery');
}

/** The error the caller of {@link Database} gets; see the doc comment there. A refused statement's error is handed on as it is, minus the rows it quotes. */
export function asDatabaseError(cause: unknown, moment: Moment): Error {
  if (isDefect(cause)) return cause;
  if (moment === 'connecting') return unavailable(cause);
  if (isLost(cause)) return moment === 'before_commit' ? unavailable(cause) : unknown(cause);
  const error = cause as pg.DatabaseError;
  const code = error.code ?? '';
  if (timedOut.has(code)) {
    return new CodedError('database_timeout', `PostgreSQL gave the statement up: ${error.message}.`, {
      cause: withoutRows(error),
    });
  }
  if (code.startsWith('53') || notWritable.has(code)) return unavailable(withoutRows(error));
  return withoutRows(error);
}

/** Refuses what PostgreSQL cannot store as text. Half a character would otherwise be replaced silently. */
export function refuseBrokenText(values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === 'string' && /[\p{Surrogate}\0]/u.test(value)) {
      throw new CodedError(
        'database_text_refused',
        'The text holds a NUL or half a character, which PostgreSQL cannot store.',
      );
    }
  }
}

/** A mistake in our own code, found before anything was sent. */
function isDefect(error: unknown): error is Error {
  if (error instanceof CodedError || error instanceof TypeError || error instanceof RangeError) return true;
  return error instanceof Error && error.message.startsWith('Prepared statements must be unique');
}

function unavailable(cause: unknown): CodedError {
  return new CodedError('database_unavailable', `PostgreSQL cannot be used now; nothing was done: ${reason(cause)}.`, {
    cause,
  });
}

function unknown(cause: unknown): CodedError {
  return new CodedError(
    'database_unknown',
    `The connection to PostgreSQL was lost; the statement may have been done: ${reason(cause)}.`,
    { cause },
  );
}

/** A sentence for the cause. Node joins the failures of both address families in one error without a message. */
function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reason).join(', ');
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
}

/** The server quotes the failing row in `detail` and `where`: customers' words, which must not reach a log. */
function withoutRows(error: pg.DatabaseError): pg.DatabaseError {
  error.detail = undefined;
  error.where = undefined;
  return error;
}
