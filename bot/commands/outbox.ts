/** `npm run outbox`: messages that did not arrive, to be seen, sent again or given up by an administrator of this machine. */

import { z } from 'zod';
import { CodedError } from '../../adapters/channel.ts';
import { openDatabase } from '../../adapters/postgres/database.ts';
import {
  type DeadLetter,
  listDeadLetters,
  type Treated,
  treatDeadLetters,
  UNDELIVERED,
} from '../../record/dead-letters.ts';
import type { Database } from '../../record/types.ts';
import { type Command, readOptions, type Tools, UsageError } from './command.ts';
import { atRecord } from './place.ts';

const LIMIT = 200;

const help = `npm run outbox -- list [--state failed|unknown|held]
npm run outbox -- resend ID… [--by NAME]
npm run outbox -- cancel ID… [--by NAME]

Messages to customers that were not delivered: failed (the channel will not take them, or eight
tries failed), unknown (nobody can say whether they arrived) and held (they wait for the customer
to write). No word of a message is shown.

resend sends a message again, now and with all its tries, ahead of what its conversation still
waits to send. One whose outcome was unknown may then reach the customer twice. cancel gives a
message up. Either is written down with NAME, or your login. Lobby may be running; if it is not,
what was sent again leaves when it starts.`;

const Id = z.uuid();

export const outbox: Command = {
  help,
  async run(words, tools) {
    const { values, words: given } = readOptions(words, ['state', 'by'], true);
    const [action = '', ...ids] = given;
    switch (action) {
      case 'list':
        if (ids.length > 0 || values.by !== undefined) throw new UsageError('list takes --state only.');
        return list(values.state, tools);
      case 'resend':
      case 'cancel':
        if (values.state !== undefined) throw new UsageError(`${action} takes ids and --by only.`);
        return treat(action, readIds(ids), values.by ?? tools.operator, tools);
      default:
        throw new UsageError(`Say list, resend or cancel${action && `, not ${action}`}.`);
    }
  },
};

function readIds(ids: readonly string[]): string[] {
  if (ids.length === 0) throw new UsageError('Name the messages by the ids that list shows.');
  const wrong = ids.find((id) => !Id.safeParse(id).success);
  if (wrong) throw new UsageError(`${wrong} is not the id of a message.`);
  return [...new Set(ids.map((id) => id.toLowerCase()))];
}

async function list(state: string | undefined, tools: Tools): Promise<void> {
  const states = UNDELIVERED.filter((each) => state === undefined || each === state);
  if (states.length === 0) throw new UsageError(`--state is one of ${UNDELIVERED.join(', ')}.`);
  const { letters, total } = await inOutbox(tools, (database) => listDeadLetters(database, { states, limit: LIMIT }));
  for (const line of asTable(letters)) tools.say(line);
  tools.say(`${total} ${total === 1 ? 'message' : 'messages'} ${states.join(' or ')}.`);
  if (total > letters.length) tools.say(`The oldest ${letters.length} are shown.`);
}

async function treat(action: 'resend' | 'cancel', ids: readonly string[], by: string, tools: Tools): Promise<void> {
  const treated = await inOutbox(tools, (database) => treatDeadLetters(database, { action, ids, by }));
  for (const each of treated) tools.say(`${each.id}  ${inWords(action, each)}`);
  const undone = treated.filter(({ outcome }) => outcome !== 'done').length;
  if (undone > 0) throw new CodedError('outbox_refused', `${undone} of ${treated.length} were left as they were.`);
}

function inWords(action: 'resend' | 'cancel', treated: Treated): string {
  switch (treated.outcome) {
    case 'done':
      return action === 'resend' ? 'is sent again' : 'is given up';
    case 'absent':
      return 'is not in the outbox';
    case 'erased':
      return 'belongs to a conversation that was erased';
    case 'refused':
      return `is ${treated.state}, so it cannot be ${action === 'resend' ? 'sent again' : 'given up'}`;
  }
}

/** Runs `work` as the service's own role, with no more rights than it. */
function inOutbox<Result>(tools: Tools, work: (database: Database) => Promise<Result>): Promise<Result> {
  return atRecord(tools, 'look', async ({ connectionString }) => {
    const database = await openDatabase({
      connectionString,
      applicationName: 'lobby-outbox',
      role: 'lobby_app',
      max: 1,
    });
    try {
      return await work(database);
    } catch (error) {
      if ((error as { code?: string }).code !== '42P01') throw error;
      throw new CodedError(
        'record_older',
        'The record is not there or older than this program; start Lobby once, which brings it up to date.',
      );
    } finally {
      await database.close();
    }
  });
}

function asTable(letters: readonly DeadLetter[]): string[] {
  if (letters.length === 0) return [];
  const rows = [
    ['id', 'state', 'channel', 'class', 'tries', 'error', 'conversation', 'rows', 'said', 'last tried', 'last word'],
    ...letters.map((letter) => [
      letter.id,
      letter.state,
      letter.channel,
      letter.class,
      String(letter.tries),
      letter.errcode ?? '-',
      letter.conversation,
      letter.seqFrom === letter.seqTo ? String(letter.seqFrom) : `${letter.seqFrom}-${letter.seqTo}`,
      letter.createdAt,
      letter.triedAt ?? '-',
      letter.lastAction ? `${letter.lastAction} by ${letter.lastActionBy}, ${letter.lastActionAt}` : '-',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
