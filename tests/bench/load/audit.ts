/** What became of what a customer said: the record as the customer reads it, held against what the service answered. */

/** An activity as Direct Line shows it, as far as the audit reads it. */
export interface Shown {
  readonly id: string;
  readonly text?: string;
  readonly replyToId?: string;
  readonly from: { readonly role: string };
}

/** What one customer was answered, by the number of the message. */
export interface Answers {
  /** Accepted messages and the ids they were given, in the order they were sent. */
  readonly accepted: ReadonlyMap<number, string>;
  /** Sent, and neither accepted nor refused: nobody knows. */
  readonly unknown: ReadonlySet<number>;
}

/** How often each promise was broken. */
export interface Findings {
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  readonly unanswered: number;
  readonly recordedThoughRefused: number;
}

export const NOTHING_WRONG: Findings = {
  lost: 0,
  doubled: 0,
  outOfOrder: 0,
  unanswered: 0,
  recordedThoughRefused: 0,
};

/** What the bench bot answers to one message, in order. */
const REPLIES = [1, 2];

/** Reads the number back from a message the load wrote. */
export function numberIn(text: string | undefined): number {
  return Number(/(\d+)$/.exec(text ?? '')?.[1] ?? Number.NaN);
}

/** Audits one conversation: `rows` are all of it, in the order the customer is shown them. */
export function audit(rows: readonly Shown[], { accepted, unknown }: Answers): Findings {
  const asked = rows.filter(({ from }) => from.role === 'user');
  const ids = new Map(asked.map((row) => [numberIn(row.text), row.id]));
  const numbers = asked.map((row) => numberIn(row.text));
  const all = [...accepted];
  return {
    lost: all.filter(([n, id]) => ids.get(n) !== id).length,
    doubled: numbers.length - ids.size,
    outOfOrder: numbers.filter((n, index) => index > 0 && n <= (numbers[index - 1] ?? 0)).length + gaps(rows),
    unanswered: rows.filter((row, index) => row.from.role === 'user' && !isAnswered(row, rows, index)).length,
    recordedThoughRefused: [...ids.keys()].filter((n) => !accepted.has(n) && !unknown.has(n)).length,
  };
}

export function addFindings(one: Findings, other: Findings): Findings {
  return {
    lost: one.lost + other.lost,
    doubled: one.doubled + other.doubled,
    outOfOrder: one.outOfOrder + other.outOfOrder,
    unanswered: one.unanswered + other.unanswered,
    recordedThoughRefused: one.recordedThoughRefused + other.recordedThoughRefused,
  };
}

/** Its own replies come right behind it, all of them, in order. Their text names it; what they refer to may be left out. */
function isAnswered(row: Shown, rows: readonly Shown[], index: number): boolean {
  return REPLIES.every((reply, n) => {
    const said = rows[index + 1 + n];
    return said?.text === `echo ${reply}: ${row.text}` && (said.replyToId ?? row.id) === row.id;
  });
}

/** Places where the next row is not the next number of the conversation. */
function gaps(rows: readonly Shown[]): number {
  return rows.filter(({ id }, index) => Number(id.split('|')[1]) !== index + 1).length;
}
