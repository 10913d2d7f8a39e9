import { describe, expect, it } from 'vitest';
import { GOALS, judge, type Rates } from './goals.ts';

const goal = { subject: 'lobby', baseline: 'naive', clients: 16, atLeast: 1.2 } as const;

function rates(figures: Readonly<Record<string, readonly number[]>>): Rates {
  return (variant, clients) => (clients === 16 ? (figures[variant] ?? []) : []);
}

describe('a goal', () => {
  it('is judged by the middle of the ratios within each repeat, so that a slow repeat slows both sides', () => {
    const verdict = judge(goal, rates({ lobby: [130, 13, 260], naive: [100, 10, 100] }));
    expect(verdict).toEqual({ goal, verdict: 'met', ratio: { median: 1.3, least: 1.3, most: 2.6 } });
  });

  it('is not met when the middle ratio falls short', () => {
    expect(judge(goal, rates({ lobby: [119], naive: [100] })).verdict).toBe('not met');
  });

  it('is not judged when one side was left out', () => {
    expect(judge(goal, rates({ lobby: [100] })).verdict).toBe('not measured');
    expect(judge({ ...goal, clients: 64 }, rates({ lobby: [100], naive: [1] })).verdict).toBe('not measured');
  });

  it('compares Lobby’s durable turn, and its commit alone, with what they must keep up with', () => {
    expect(GOALS.map(({ subject, baseline, clients, atLeast }) => [subject, baseline, clients, atLeast])).toEqual([
      ['lobby', 'cloud-service-url', 16, 1],
      ['lobby', 'bot-adapter', 16, 0.5],
      ['lobby', 'naive', 16, 1.2],
      ['commit-turn-group', 'commit-one-row', 16, 0.4],
      ['commit-turn-group', 'commit-naive', 16, 2.4],
      ['commit-turn-group', 'commit-naive', 64, 5],
    ]);
  });
});
