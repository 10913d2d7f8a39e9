import { describe, expect, it } from 'vitest';
import { percentile, spread } from './figures.ts';

describe('the figures of a benchmark', () => {
  it('are told by their middle and their extremes, whatever order they came in', () => {
    expect(spread([30, 10, 20])).toEqual({ median: 20, least: 10, most: 30 });
  });

  it('of an even number of repeats have the mean of the two in the middle', () => {
    expect(spread([1, 2, 4, 100])).toEqual({ median: 3, least: 1, most: 100 });
  });

  it('are absent when nothing was measured', () => {
    expect(spread([])).toBeNull();
  });

  it('count the slowest hundredth by its fastest one', () => {
    const sorted = Array.from({ length: 150 }, (_, index) => index + 1);
    expect(percentile(sorted, 0.99)).toBe(149);
    expect(percentile(sorted, 0.5)).toBe(75);
    expect(percentile([7], 0.99)).toBe(7);
  });
});
