/** Afterwards: what the record holds, held against itself and against what every customer saw. Finds, and never repairs. */

import type { Database } from '../../../record/types.ts';
import type { Conversation, Delivery, Evidence, Sent } from './evidence.ts';
import { STRUCTURE } from './structure.ts';

/**
 * What can be wrong.
 * - `lost`: acknowledged and not recorded; recorded and never shown or sent; shown and not recorded.
 * - `doubled`: two turns for one message, an answer twice, one message under two ids, the same activity shown twice.
 * - `outOfOrder`: the record, or what a reader was shown, in another order than things happened.
 * - `unanswered`: a message nobody answered, or that the service never took, after everything had calmed down.
 */
export const VERDICTS = ['lost', 'doubled', 'outOfOrder', 'unanswered'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Violation {
  readonly verdict: Verdict;
  /** Which invariant, and who breaks it: ids, places, keys. */
  readonly evidence: string;
}

export interface Audit {
  readonly violations: readonly Violation[];
  /** Turns in the record. */
  readonly turns: number;
  /** Messages that reached their channel more than once because an outcome was unknown: allowed, and counted. */
  readonly resent: number;
}

/** What is known of the bot beside the record. */
export interface AuditOptions {
  /** The bot counts its turns in its state, and says nothing twice. */
  readonly countingBot: boolean;
}

/** Judges one database once nothing is under way any more. */
export async function audit(database: Database, evidence: Evidence, { countingBot }: AuditOptions): Promise<Audit> {
  const checks = STRUCTURE.filter(({ countingBotOnly }) => countingBot || !countingBotOnly);
  const structural: Violation[] = [];
  for (const { name, sql } of checks) {
    const rows = await database.query<{ verdict: Verdict; evidence: string }>(sql);
    structural.push(...rows.map((row) => ({ verdict: row.verdict, evidence: `${name}: ${row.evidence}` })));
  }
  const record = new RecordIndex(await readRows(database));
  const tries = await readTries(database);
  const seen = evidence.conversations.flatMap((conversation) => judge(conversation, record));
  const deliveries = judgeDeliveries(evidence, record, tries);
  return {
    violations: [...structural, ...judgeAnswers(record, countingBot), ...seen, ...deliveries.violations],
    turns: record.turns,
    resent: deliveries.resent,
  };
}

interface Row {
  readonly conversation: string;
  readonly seq: number;
  readonly turn: number;
  readonly direction: 'in' | 'out' | 'event';
  readonly dkey: string | null;
  readonly type: string | null;
  readonly text: string | null;
}

async function readRows(database: Database): Promise<readonly Row[]> {
  return await database.query<Row>(
    `select conversation_id as conversation, seq, turn, direction, dkey, body->>'type' as type,
            case when direction = 'out' then body->>'text' end as text
       from activity order by conversation_id collate "C", seq`,
  );
}

/** How often each queued message was tried, by its conversation and first row. */
async function readTries(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ place: string; tries: number }>(
    `select conversation_id || '|' || seq_from as place, tries from outbox`,
  );
  return new Map(rows.map(({ place, tries }) => [place, tries]));
}

/** The whole record, found by the ways the checks ask. */
class RecordIndex {
  readonly rows: readonly Row[];
  readonly #byConversation: ReadonlyMap<string, readonly Row[]>;
  readonly #causes: ReadonlyMap<string, readonly Row[]>;
  readonly #byPlace: ReadonlyMap<string, Row>;
  readonly #byTurn: ReadonlyMap<string, readonly Row[]>;

  constructor(rows: readonly Row[]) {
    this.rows = rows;
    this.#byConversation = groupBy(rows, ({ conversation }) => conversation);
    this.#byTurn = groupBy(rows, turnOf);
    this.#byPlace = new Map(rows.map((row) => [placeOf(row), row]));
    this.#causes = groupBy(
      rows.filter(({ dkey }) => dkey !== null && !dkey.startsWith('answer:')),
      ({ dkey }) => lastPart(dkey ?? ''),
    );
  }

  get turns(): number {
    return this.#byTurn.size;
  }

  in(conversationId: string): readonly Row[] {
    return this.#byConversation.get(conversationId) ?? [];
  }

  causesOf(key: string): readonly Row[] {
    return this.#causes.get(key) ?? [];
  }

  /** What was said in the turn of this row, and, if the answer came late, in the turn that brought it. */
  answersTo(cause: Row): { readonly atOnce: readonly Row[]; readonly late: readonly Row[] } {
    const key = `answer:${cause.conversation}:${cause.seq}`;
    const late = this.in(cause.conversation).find(({ dkey }) => dkey === key);
    return { atOnce: this.#saidIn(cause), late: late ? this.#saidIn(late) : [] };
  }

  /** The customer's message a row of the bank answers. */
  questionOf(row: Row): Row | undefined {
    const cause = this.#byTurn.get(turnOf(row))?.find(({ dkey }) => dkey !== null);
    if (!cause?.dkey?.startsWith('answer:')) return cause;
    return this.#byPlace.get(`${row.conversation}|${lastPart(cause.dkey)}`);
  }

  #saidIn(row: Row): readonly Row[] {
    return (this.#byTurn.get(turnOf(row)) ?? []).filter(({ direction }) => direction === 'out');
  }
}

const placeOf = ({ conversation, seq }: Row): string => `${conversation}|${seq}`;
const turnOf = ({ conversation, turn }: Row): string => `${conversation}#${turn}`;
const lastPart = (dkey: string): string => dkey.slice(dkey.lastIndexOf(':') + 1);

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Every message of a customer has its answer, and has it once. */
function judgeAnswers(record: RecordIndex, countingBot: boolean): Violation[] {
  const found: Violation[] = [];
  for (const row of record.rows) {
    if (row.direction !== 'in' || row.type !== 'message') continue;
    const { atOnce, late } = record.answersTo(row);
    if (atOnce.length + late.length === 0) found.push({ verdict: 'unanswered', evidence: `no answer to ${at(row)}` });
    if (atOnce.length > 0 && late.length > 0) {
      found.push({ verdict: 'doubled', evidence: `answered at once and late: ${at(row)}` });
    }
    const said = [...atOnce, ...late].map(({ text }) => text);
    if (countingBot && new Set(said).size < said.length) {
      found.push({ verdict: 'doubled', evidence: `the same answer twice to ${at(row)}` });
    }
  }
  return found;
}

function at({ conversation, seq, dkey }: Row): string {
  return `${conversation}|${seq}${dkey === null ? '' : ` (key ${dkey})`}`;
}

function judge(conversation: Conversation, record: RecordIndex): Violation[] {
  const sent = conversation.sent.flatMap((message) => judgeMessage(message, record));
  const order = judgeOrder(conversation.sent, record);
  return conversation.channel === 'web'
    ? [...sent, ...order, ...judgeShown(conversation, record)]
    : [...sent, ...order];
}

/** I1: what was acknowledged is in the record exactly once, where the acknowledgement says. */
function judgeMessage({ name, key, acknowledged, seqs, attempts, oddities }: Sent, record: RecordIndex): Violation[] {
  const causes = record.causesOf(key);
  const found: Violation[] = [];
  if (!acknowledged) {
    const said = oddities.length > 0 ? `, answered ${oddities.at(-1)}` : '';
    found.push({ verdict: 'unanswered', evidence: `${name} was never taken in ${attempts.count} tries${said}` });
  }
  if (acknowledged && causes.length === 0) {
    found.push({ verdict: 'lost', evidence: `I1 ${name} was acknowledged ${inWords(seqs)}and is not recorded` });
  }
  if (causes.length > 1) {
    found.push({ verdict: 'doubled', evidence: `I1 ${name} has two turns: ${causes.map(at).join(' and ')}` });
  }
  const [cause] = causes;
  const elsewhere = seqs.filter((seq) => cause && seq !== cause.seq);
  if (cause && elsewhere.length > 0) {
    found.push({
      verdict: 'doubled',
      evidence: `I1 ${name} was acknowledged ${inWords(elsewhere)}and is ${at(cause)}`,
    });
  }
  return found;
}

function inWords(seqs: readonly number[]): string {
  return seqs.length > 0 ? `as ${seqs.join(', ')} ` : '';
}

/** I2: a customer who waits for each acknowledgement finds their messages in the order they sent them, in one conversation. */
function judgeOrder(sent: readonly Sent[], record: RecordIndex): Violation[] {
  const causes = sent.flatMap(({ key }) => record.causesOf(key).slice(0, 1));
  const found: Violation[] = [];
  for (const [index, cause] of causes.entries()) {
    const before = causes[index - 1];
    if (!before) continue;
    if (before.conversation !== cause.conversation) {
      found.push({ verdict: 'doubled', evidence: `one thread in two conversations: ${at(before)} and ${at(cause)}` });
    } else if (before.seq >= cause.seq) {
      found.push({ verdict: 'outOfOrder', evidence: `I2 sent before, recorded after: ${at(before)} and ${at(cause)}` });
    }
  }
  return found;
}

/** I14: what a client was shown is what the record holds for it: all of it, nothing else, in order, once. */
function judgeShown(conversation: Extract<Conversation, { channel: 'web' }>, record: RecordIndex): Violation[] {
  const { conversationId, shown, sent } = conversation;
  const visible = new Set(
    record.in(conversationId).flatMap(({ direction, seq }) => (direction === 'event' ? [] : seq)),
  );
  const found: Violation[] = [];
  const report = (verdict: Verdict, what: string): void => {
    found.push({ verdict, evidence: `I14 ${what} in ${conversationId} (${sent[0]?.key ?? 'nothing sent'} …)` });
  };
  let last = 0;
  const seen = new Set<number>();
  for (const { seq, inOrder } of shown) {
    if (!visible.has(seq)) report('lost', `${seq} was shown and is not in the record`);
    if (!inOrder) continue;
    if (seen.has(seq)) report('doubled', `${seq} was shown twice`);
    else if (seq < last) report('outOfOrder', `${seq} was shown after ${last}`);
    seen.add(seq);
    last = Math.max(last, seq);
  }
  for (const seq of visible) if (!seen.has(seq)) report('lost', `${seq} was never shown`);
  const places = groupBy(
    shown.filter(({ key }) => key !== null),
    ({ key }) => key ?? '',
  );
  for (const [key, each] of places) {
    const ids = new Set(each.map(({ seq }) => seq));
    if (ids.size > 1) report('doubled', `${key} was shown as ${[...ids].join(' and ')}`);
  }
  return found;
}

/** P5, P7, I8 as the channel saw them: everything queued arrived, in order, and nothing else did. */
function judgeDeliveries(
  { conversations, deliveries }: Evidence,
  record: RecordIndex,
  tries: ReadonlyMap<string, number>,
): { violations: Violation[]; resent: number } {
  const arrived = groupBy(deliveries, ({ thread }) => thread);
  const violations: Violation[] = [];
  let resent = 0;
  for (const conversation of conversations) {
    if (conversation.channel !== 'azure') continue;
    const { thread, sent } = conversation;
    const [first] = sent.flatMap(({ key }) => record.causesOf(key));
    const queued = first ? record.in(first.conversation).filter(({ direction }) => direction === 'out') : [];
    const judged = judgeThread(thread, arrived.get(thread) ?? [], queued, record, tries);
    violations.push(...judged.violations);
    resent += judged.resent;
  }
  return { violations, resent };
}

function judgeThread(
  thread: string,
  arrived: readonly Delivery[],
  queued: readonly Row[],
  record: RecordIndex,
  tries: ReadonlyMap<string, number>,
): { violations: Violation[]; resent: number } {
  const violations: Violation[] = [];
  const report = (verdict: Verdict, what: string): void => {
    violations.push({ verdict, evidence: `${what} on thread ${thread}` });
  };
  const times = new Map<Row, number>();
  let last = 0;
  for (const delivery of arrived) {
    const alike = queued.filter((row) => row.text === delivery.text && questionKey(row, record) === delivery.key);
    const row = alike.find((each) => !times.has(each)) ?? alike[0];
    if (!row) {
      report('lost', `P5 ${JSON.stringify(delivery.text)} was sent and is not in the record`);
      continue;
    }
    if (!times.has(row) && row.seq < last) report('outOfOrder', `I8 ${at(row)} was sent after ${last}`);
    times.set(row, (times.get(row) ?? 0) + 1);
    last = Math.max(last, row.seq);
  }
  for (const row of queued) {
    const count = times.get(row) ?? 0;
    const allowed = tries.get(placeOf(row)) ?? 0;
    if (count === 0) report('lost', `P7 ${at(row)} never arrived`);
    if (count > Math.max(1, allowed)) report('doubled', `P7 ${at(row)} arrived ${count} times in ${allowed} tries`);
  }
  return { violations, resent: [...times.values()].reduce((sum, count) => sum + count - 1, 0) };
}

function questionKey(row: Row, record: RecordIndex): string | null {
  const question = record.questionOf(row);
  return question?.dkey ? lastPart(question.dkey) : null;
}
