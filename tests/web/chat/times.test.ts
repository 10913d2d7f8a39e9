import { describe, expect, test } from 'vitest';
import { dayOf, timeOf } from '../../../web/chat/times.ts';

const zone = 'Asia/Shanghai';
const words = { today: '今天', yesterday: '昨天' };
const now = Date.parse('2026-11-23T02:00:00Z');
const day = (iso: string, language: 'zh' | 'en' = 'zh'): string => dayOf(Date.parse(iso), now, language, words, zone);

describe('times', () => {
  test('are the customer’s own, on a clock of 24 hours', () => {
    expect(timeOf(Date.parse('2026-11-22T16:05:00Z'), 'zh', zone)).toBe('00:05');
    expect(timeOf(Date.parse('2026-11-22T06:05:00Z'), 'en', zone)).toBe('14:05');
  });

  test('call today and yesterday by name, by the customer’s midnight', () => {
    expect(day('2026-11-22T16:01:00Z')).toBe('今天');
    expect(day('2026-11-22T15:59:00Z')).toBe('昨天');
    const afternoon = now + 6 * 3_600_000;
    expect(dayOf(Date.parse('2026-11-21T17:00:00Z'), afternoon, 'zh', words, zone)).toBe('昨天');
    expect(dayOf(Date.parse('2026-11-21T15:00:00Z'), afternoon, 'zh', words, zone)).toBe('11月21日');
  });

  test('name other days, with the year only when it is another one', () => {
    expect(day('2026-11-20T04:00:00Z')).toBe('11月20日');
    expect(day('2026-11-20T04:00:00Z', 'en')).toBe('November 20');
    expect(day('2025-12-31T04:00:00Z')).toBe('2025年12月31日');
  });
});
