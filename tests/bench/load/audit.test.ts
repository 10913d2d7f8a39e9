import { describe, expect, it } from 'vitest';
import { audit, NOTHING_WRONG, type Shown } from './audit.ts';

/** A turn as it is shown: the message and its two replies, from place `seq` on. */
function turn(n: number, seq: number): Shown[] {
  const text = `Message ${String(n).padStart(12, '0')}`;
  const id = place(seq);
  const replies = [1, 2].map((reply) => ({
    id: place(seq + reply),
    text: `echo ${reply}: ${text}`,
    replyToId: id,
    from: { role: 'bot' },
  }));
  return [{ id, text, from: { role: 'user' } }, ...replies];
}

function place(seq: number): string {
  return `c|${String(seq).padStart(7, '0')}`;
}

function accepted(...pairs: readonly (readonly [number, number])[]) {
  return { accepted: new Map(pairs.map(([n, seq]) => [n, place(seq)])), unknown: new Set<number>() };
}

describe('the audit of an overloaded conversation', () => {
  it('finds nothing wrong when every accepted message stands where it was said to, answered', () => {
    expect(audit([...turn(3, 1), ...turn(8, 4)], accepted([3, 1], [8, 4]))).toEqual(NOTHING_WRONG);
  });

  it('misses an accepted message that is not in the record, or stands elsewhere', () => {
    expect(audit([], accepted([3, 1])).lost).toBe(1);
    expect(audit([...turn(8, 1), ...turn(9, 4)], accepted([8, 1], [9, 7])).lost).toBe(1);
  });

  it('sees a message recorded twice', () => {
    expect(audit([...turn(3, 1), ...turn(3, 4)], accepted([3, 4])).doubled).toBe(1);
  });

  it('sees messages that changed places', () => {
    expect(audit([...turn(8, 1), ...turn(3, 4)], accepted([8, 1], [3, 4])).outOfOrder).toBe(1);
  });

  it('sees a gap in what is shown', () => {
    expect(audit(turn(3, 2), accepted([3, 2])).outOfOrder).toBe(3);
  });

  it('sees a message whose replies are missing, late or those of another', () => {
    const [asked, first, second] = turn(3, 1) as [Shown, Shown, Shown];
    expect(audit([asked], accepted([3, 1])).unanswered).toBe(1);
    expect(audit([asked, second, first], accepted([3, 1])).unanswered).toBe(1);
    expect(audit([asked, { ...first, replyToId: 'c|0000099' }, second], accepted([3, 1])).unanswered).toBe(1);
    expect(audit([asked, first, { ...second, text: 'echo 2: another' }], accepted([3, 1])).unanswered).toBe(1);
  });

  it('does not forgive that a refused message was recorded, but does that one nobody knows of was', () => {
    expect(audit(turn(3, 1), accepted()).recordedThoughRefused).toBe(1);
    expect(audit(turn(3, 1), { accepted: new Map(), unknown: new Set([3]) })).toEqual(NOTHING_WRONG);
  });
});
