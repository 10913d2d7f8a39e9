/** When new visitors are asked to wait. */

import { describe, expect, it } from 'vitest';
import { Lines } from '../../bot/line.ts';
import { Pressure } from '../../bot/pressure.ts';

describe('pressure', () => {
  it('is high only when commits wait more than half a second for a whole second, and falls at once', () => {
    let [wait, now] = [0, 0];
    const pressure = new Pressure(
      () => wait,
      () => now,
    );
    const highAfter = (ms: number, waits: number): boolean => {
      [now, wait] = [now + ms, waits];
      pressure.sample();
      return pressure.high;
    };
    expect(highAfter(100, 400)).toBe(false);
    expect(highAfter(5_000, 500)).toBe(false);
    expect(highAfter(100, 501)).toBe(false);
    expect(highAfter(900, 600)).toBe(false);
    expect(highAfter(100, 600)).toBe(true);
    expect(highAfter(100, 500)).toBe(false);
    expect(highAfter(100, 900)).toBe(false);
  });
});

describe('the places in the lines', () => {
  it('are kept for those whom more depends on', async () => {
    const lines = new Lines(8, 10);
    let open: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => {
      open = resolve;
    });
    const work = Array.from({ length: 8 }, (_, n) => lines.join(`c${n}`, () => busy));
    expect(lines.admits('new', 2)).toBe(false);
    expect(lines.admits('held by staff')).toBe(true);
    open();
    await Promise.all(work);
    await lines.idle();
    expect(lines.depth).toBe(0);
    expect(lines.admits('new', 2)).toBe(true);
  });
});
