/** The copy of a conversation that a customer may take home: plain text, in order, with who said what and that a machine spoke. */

import type { RecordedActivity } from '../record/types.ts';
import type { Bank } from './bank.ts';

const WORDS = {
  zh: {
    title: (bank: string) => `${bank} · 对话副本`,
    made: '生成时间',
    demo: '演示数据：银行为虚构。',
    notice: '标有“智能助手”的内容由人工智能自动生成。号码和密码类内容在保存前已遮盖或删除。',
    speakers: { customer: '我', bot: '智能助手', staff: '工作人员', system: '系统' },
    file: (name: string) => `[文件：${name}]`,
    nothing: '（这次对话还没有内容。）',
    locale: 'zh-CN',
  },
  en: {
    title: (bank: string) => `${bank} · Copy of your conversation`,
    made: 'Made on',
    demo: 'Demo data: the bank is fictional.',
    notice:
      'Text marked "AI assistant" was generated automatically by AI. Numbers and passwords were masked or erased before they were kept.',
    speakers: { customer: 'Me', bot: 'AI assistant', staff: 'Staff', system: 'System' },
    file: (name: string) => `[File: ${name}]`,
    nothing: '(Nothing has been said yet.)',
    locale: 'en-GB',
  },
} as const;

/** How the copy is written. */
export interface CopyStyle {
  readonly language: 'zh' | 'en';
  readonly bank: Bank;
  /** The bank's time zone: times in the copy are the bank's. */
  readonly zone: string;
  readonly now: Date;
  readonly mode: 'demo' | 'production';
}

export function writeCopy(rows: readonly RecordedActivity[], { language, bank, zone, now, mode }: CopyStyle): string {
  const words = WORDS[language];
  const format = new Intl.DateTimeFormat(words.locale, { timeZone: zone, dateStyle: 'medium', timeStyle: 'medium' });
  const head = [
    words.title(bank.name[language]),
    `${words.made}: ${format.format(now)} (${zone})`,
    ...(mode === 'demo' ? [words.demo] : []),
    words.notice,
  ];
  const said = rows.flatMap((row) => {
    const text = spoken(row, words.file);
    return text === null ? [] : [`${format.format(new Date(row.at))}  ${words.speakers[row.speaker]}\n${text}`];
  });
  // The mark in front makes every editor read it as UTF-8.
  return `\uFEFF${[head.join('\n'), ...(said.length > 0 ? said : [words.nothing])].join('\n\n')}\n`;
}

/** What of a row was shown; null for events and what has no words. */
function spoken({ direction, body }: RecordedActivity, file: (name: string) => string): string | null {
  if (direction === 'event' || body.type !== 'message') return null;
  const text = typeof body.text === 'string' ? body.text : '';
  const attachments = Array.isArray(body.attachments) ? (body.attachments as { name?: unknown }[]) : [];
  const lines = [text, ...attachments.map(({ name }) => file(String(name ?? '')))].filter((line) => line !== '');
  return lines.length > 0 ? lines.join('\n') : null;
}
