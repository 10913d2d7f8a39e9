/** When something was said, in the customer's own words for days and hours. */

import { type Language, localeOf } from '../shared/language.ts';

export interface DayWords {
  readonly today: string;
  readonly yesterday: string;
}

export function timeOf(at: number, language: Language, timeZone?: string): string {
  return format(at, language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
}

/** Today, yesterday, or the date; with the year once it is another one. */
export function dayOf(at: number, now: number, language: Language, words: DayWords, timeZone?: string): string {
  const key = dayKey(at, timeZone);
  if (key === dayKey(now, timeZone)) return words.today;
  if (key === dayKey(now - 86_400_000, timeZone)) return words.yesterday;
  const sameYear = key.slice(0, 4) === dayKey(now, timeZone).slice(0, 4);
  return format(at, language, { month: 'long', day: 'numeric', ...(!sameYear && { year: 'numeric' }), timeZone });
}

/** `YYYY-MM-DD` where the customer is. */
export function dayKey(at: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone }).format(at);
}

function format(at: number, language: Language, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(localeOf[language], options).format(at);
}
