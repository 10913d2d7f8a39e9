/** What must be true of the record and of what each customer saw, after every run (the promises of the turn, I1 to I14). */

import type { Acknowledged, Customer } from './customer.ts';
import { VISIT_QUIET_MS } from './instance.ts';
import { type ModelConversation, type ModelRow, UNSTORABLE } from './model-record.ts';
import type { World } from './world.ts';

/** Everything that is wrong, as sentences. */
export function violationsOf(world: World): string[] {
  const { record, customers, readers } = world;
  const found: string[] = [];
  const check = (holds: boolean, sentence: string): void => {
    if (!holds) found.push(sentence);
  };
  for (const conversation of record.conversations.values()) {
    const customer = customers.find(({ conversationId }) => conversationId === conversation.id);
    checkOrder(conversation, check);
    checkCounter(conversation, check);
    checkSpeakers(conversation, check);
    checkHandoffs(conversation, check);
    checkVisits(conversation, check);
    if (customer) {
      checkAcknowledged(conversation, customer, check);
      checkAnswered(conversation, check);
      checkQueued(conversation, customer, world, check);
    }
  }
  checkHandoffNumbers(world, check);
  for (const { settlements } of record.outbox) check(settlements <= 1, 'A settled message was settled again.');
  for (const { firings } of record.timers) check(firings <= 1, 'A timer fired twice.');
  for (const { conversationId, shown } of readers) {
    const visible = rowsOf(world, conversationId).filter(({ direction }) => direction !== 'event');
    check(
      same(shown, visible.map(({ seq }) => seq).slice(0, shown.length)),
      'What a customer saw is not what was said.',
    );
  }
  checkArrivals(world, check);
  return found;
}

export type Check = (holds: boolean, sentence: string) => void;

const rowsOf = (world: World, conversationId: string): readonly ModelRow[] =>
  world.record.conversations.get(conversationId)?.rows ?? [];

const same = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

/** seq dense from 1, rows of a turn together with the cause first, ver = turns. */
export function checkOrder(
  { rows, version, seq }: Pick<ModelConversation, 'rows' | 'version' | 'seq'>,
  check: Check,
): void {
  check(
    same(
      rows.map((row) => row.seq),
      rows.map((_, index) => index + 1),
    ),
    'seq is not 1, 2, 3, …',
  );
  check(seq === rows.length, 'The conversation does not know its last seq.');
  const turns = rows.filter(({ key }) => key !== null);
  check(
    same(
      turns.map(({ turn }) => turn),
      turns.map((_, index) => index + 1),
    ),
    'A turn is not one cause, or not whole.',
  );
  check(version === turns.length, 'ver is not the number of turns.');
  const together = rows.every((row, index) => row.key !== null || rows[index - 1]?.turn === row.turn);
  check(together, 'The rows of a turn are not together, cause first.');
}

/** The bot's own counter: nothing it knew was lost or counted twice. */
export function checkCounter({ rows, state }: Pick<ModelConversation, 'rows' | 'state'>, check: Check): void {
  const answers = rows
    .filter(({ speaker }) => speaker === 'bot')
    .flatMap(({ body, turn }) => {
      const { nth } = (body.value ?? {}) as { nth?: number };
      return nth === undefined ? [] : [{ nth, turn }];
    });
  const turns = answers.filter(({ turn }, index) => answers[index - 1]?.turn !== turn);
  check(
    same(
      turns.map(({ nth }) => nth),
      turns.map((_, index) => index + 1),
    ),
    'The bot’s answers do not count 1, 2, 3, …',
  );
  check(Number(state.answers ?? 0) === turns.length, 'The state does not hold as many answers as were given.');
}

/** One mouth. Only a goodbye belongs to an epoch of nobody: it is said in the commit that ends the conversation. */
function checkSpeakers({ rows, owners, epoch }: ModelConversation, check: Check): void {
  check(owners.length === epoch + 1, 'An epoch has no owner.');
  for (const row of rows) {
    if (row.direction !== 'out') continue;
    const owner = owners[row.epoch];
    const { staff } = (row.body.value ?? {}) as { staff?: string };
    switch (row.speaker) {
      case 'bot': {
        const goodbye = owner === 'none' && row.body.text === 're: bye';
        check(owner === 'bot' || goodbye, 'The bot spoke in a conversation that was not its own.');
        break;
      }
      case 'staff':
        check(owner === staff, 'Staff spoke in a conversation that was not their own.');
        break;
      case 'customer':
      case 'system':
        check(false, `A row shown to the customer was said by ${row.speaker}.`);
    }
  }
}

function checkHandoffs({ handoffs, rows }: ModelConversation, check: Check): void {
  check(handoffs.filter(({ open }) => open).length <= 1, 'Two requests for a person are open at once.');
  for (const { body } of rows) {
    const told = /^you are (.*)$/.exec(String(body.text))?.[1];
    check(
      told === undefined || handoffs.some(({ number }) => number === told),
      'A customer was told a number nobody has.',
    );
  }
}

/** A visit ends once, when nobody has spoken for long enough, and never while a person is waited for. */
function checkVisits({ rows, handoffs }: ModelConversation, check: Check): void {
  let spoken: ModelRow | undefined;
  let asked = false;
  for (const row of rows) {
    if (row.body.name === 'lobby/visit-ended') {
      const quiet = Date.parse(row.at) - Date.parse(spoken?.at ?? row.at);
      check(quiet >= VISIT_QUIET_MS, 'A visit ended though somebody had just spoken.');
      check(asked, 'A visit ended twice.');
      asked = false;
    } else if (row.direction !== 'event') spoken = row;
    if (row.direction === 'in') asked = true;
  }
  check(!asked || handoffs.some(({ open }) => open), 'A visit never ended.');
}

function checkHandoffNumbers({ record }: World, check: Check): void {
  const numbers = [...record.conversations.values()].flatMap(({ handoffs }) => handoffs.map(({ number }) => number));
  check(new Set(numbers).size === numbers.length, 'Two requests have the same number.');
}

/** Acknowledged = recorded, once, under the id that was acknowledged, in the order the client sent. */
function checkAcknowledged({ rows }: ModelConversation, customer: Customer, check: Check): void {
  const acknowledged = customer.acknowledged.filter((one): one is Acknowledged => one !== undefined);
  for (const { key, causeSeq, rows: told } of acknowledged) {
    const causes = rows.filter((row) => row.key === key);
    check(causes.length === 1 && causes[0]?.seq === causeSeq, 'An acknowledged message is not recorded once, there.');
    const inline = customer.plan.delivery === 'inline';
    check(
      !inline || told === rows.filter(({ turn }) => turn === causes[0]?.turn).length,
      'A response lacks its answer.',
    );
  }
  const written = rows.filter(({ direction }) => direction === 'in');
  check(written.length === new Set(written.map(({ key }) => key)).size, 'A key has two turns.');
  const expected = customer.plan.words.filter((word) => word !== UNSTORABLE).length;
  check(written.length === expected, 'There are not as many messages recorded as were written.');
  if (!customer.plan.patient) return;
  const order = acknowledged.map(({ causeSeq }) => causeSeq);
  check(
    same(
      order,
      order.toSorted((one, other) => one - other),
    ),
    'A patient customer’s messages changed places.',
  );
}

/** Every message taken is answered, unless it fell to staff. */
function checkAnswered({ id, rows, owners }: ModelConversation, check: Check): void {
  for (const cause of rows) {
    if (cause.direction !== 'in') continue;
    const answers = rows.filter(({ key }) => key !== null && ofAnswer(key) === `${id}:${cause.seq}`);
    const [late] = answers;
    check(answers.length <= 1, 'A message was answered late twice.');
    const answered = rows.some(
      ({ direction, turn }) => direction === 'out' && (turn === cause.turn || turn === late?.turn),
    );
    const owner = owners[(late ?? cause).epoch];
    check(answered || (owner !== 'bot' && owner !== 'none'), 'A message was taken and never answered.');
    const twice = late !== undefined && rows.some(({ direction, turn }) => direction === 'out' && turn === cause.turn);
    check(!twice, 'A message was answered twice.');
  }
}

/** Which message a turn answers late. */
function ofAnswer(key: string): string | undefined {
  return /^answer:([^:]+:\d+)/.exec(key)?.[1];
}

/** Each pushed row is in exactly one message of the outbox, and no other row is in any. */
function checkQueued(conversation: ModelConversation, customer: Customer, { record }: World, check: Check): void {
  const queued = record.outbox.filter(({ conversationId }) => conversationId === conversation.id);
  const covered = queued.flatMap(({ seqFrom, seqTo }) =>
    Array.from({ length: seqTo - seqFrom + 1 }, (_, n) => seqFrom + n),
  );
  const out = conversation.rows.filter(({ direction }) => direction === 'out').map(({ seq }) => seq);
  const expected = customer.plan.delivery === 'outbox' ? out : [];
  check(
    same(
      covered.toSorted((one, other) => one - other),
      expected,
    ),
    'The outbox does not cover each pushed row once.',
  );
}

/** What reached the outside came in order, all of it, and twice only where somebody could not know. */
function checkArrivals({ outside, record, chaos }: World, check: Check): void {
  for (const { id } of record.conversations.values()) {
    const seqs = outside.arrivals.filter(({ conversationId }) => conversationId === id).map(({ seq }) => seq);
    const firsts = [...new Set(seqs)];
    check(
      same(
        firsts,
        firsts.toSorted((one, other) => one - other),
      ),
      'Messages reached the customer out of order.',
    );
    const done = record.outbox.filter(({ conversationId, state }) => conversationId === id && state === 'done');
    check(
      done.every(({ seqFrom }) => seqs.includes(seqFrom)),
      'A message that counts as sent never arrived.',
    );
    const calm = ![...chaos.seen.keys()].some((what) => /^(crash|pause|database|message lost|drain)/.test(what));
    check(!calm || firsts.length === seqs.length, 'A message was sent twice though nothing went wrong.');
  }
}
