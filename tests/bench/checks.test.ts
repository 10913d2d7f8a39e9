import { describe, expect, it } from 'vitest';
import { atMost, checksTable, exactly } from './checks.ts';

describe('a check', () => {
  it('of an upper limit is met at the limit and not above it', () => {
    expect(atMost('memory', 2, 2, ' ×')).toEqual({ what: 'memory', figure: '2 ×', goal: '≤ 2 ×', met: true });
    expect(atMost('memory', 2.001, 2, ' ×')).toMatchObject({ figure: '2.00 ×', met: false });
  });

  it('of a figure that cannot be told is not met', () => {
    expect(atMost('p99', Number.NaN, 2).met).toBe(false);
  });

  it('of an exact figure is met by that figure only', () => {
    expect(exactly('lost', 0, 0).met).toBe(true);
    expect(exactly('lost', 1, 0).met).toBe(false);
  });

  it('says in the table whether it is met', () => {
    expect(checksTable([exactly('lost', 1, 0)])).toContain('not met');
  });
});
