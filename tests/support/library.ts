/** A handful of articles and a recogniser that knows them by rote, for tests of what is said rather than of what is understood. */

import { shelve } from '../../dialogs/shelf.ts';
import type { DialogCollaborators } from '../../dialogs/turn.ts';
import { servable } from '../../knowledge/article.ts';
import type { Article, Band, Language, Recognizer, Understanding } from '../../knowledge/types.ts';

interface Entry {
  readonly zh: readonly [title: string, body: string];
  readonly en: readonly [title: string, body: string];
  readonly more?: Partial<Article>;
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  'term-deposit-rate': {
    zh: ['三年定期存款利率是多少？', '三年定期存款利率如下。\n\n{{rates:term-deposit}}'],
    en: ['What is the three-year deposit rate?', 'This is the three-year rate.\n\n{{rates:term-deposit}}'],
    more: { version: 3, related: ['early-withdrawal', 'deposit-insurance'] },
  },
  'early-withdrawal': {
    zh: ['定期存款提前支取怎么算利息？', '提前支取的部分按活期利率计息。'],
    en: ['What happens if I withdraw a term deposit early?', 'The part you withdraw earns the current rate.'],
  },
  'deposit-insurance': {
    zh: ['存款有保险吗？', '有。五十万元以内全额偿付。'],
    en: ['Are deposits insured?', 'Yes, up to 500,000 yuan.'],
  },
  'transfer-arrival': {
    zh: ['跨行转账多久到账？', '一般几分钟到账。'],
    en: ['How long does a transfer take?', 'Usually a few minutes.'],
  },
  'wealth-or-deposit': {
    zh: ['理财和存款有什么区别？', '理财不是存款，不保本。'],
    en: ['How do wealth products differ from deposits?', 'They are not deposits and not guaranteed.'],
    more: { risk: 'investment' },
  },
  'fx-rate': {
    zh: ['今天美元汇率多少？', '{{rates:fx}}'],
    en: ['What is the dollar rate today?', '{{rates:fx}}'],
  },
  'spring-offer': {
    zh: ['春季开户有礼吗？', '活动期间开户有礼。'],
    en: ['Is there a spring gift?', 'There is a gift during the campaign.'],
    more: { validTo: '2026-06-01' },
  },
};

const LANGUAGES = ['zh', 'en'] as const;

export const library: readonly Article[] = Object.entries(ENTRIES).flatMap(([id, entry]) =>
  LANGUAGES.map(
    (lang): Article => ({
      id,
      lang,
      intents: [`test.${id}`],
      title: entry[lang][0],
      phrasings: [],
      audience: 'public',
      validFrom: '2026-01-01',
      validTo: null,
      reviewBy: '2027-01-01',
      approvedBy: 'retail-lead',
      approvedAt: '2025-12-20',
      source: 'test',
      version: 1,
      risk: 'none',
      related: [],
      body: entry[lang][1],
      ...entry.more,
    }),
  ),
);

/** What is heard, and which articles it may mean. The first band with an entry wins; a title means its own article. */
const HEARD: Readonly<Record<string, readonly [band: Band, ids: readonly string[]]>> = {
  定期: ['offer', ['term-deposit-rate', 'early-withdrawal', 'deposit-insurance']],
  存钱安全: ['offer', ['deposit-insurance']],
  deposits: ['offer', ['term-deposit-rate', 'early-withdrawal', 'deposit-insurance']],
  存三年利息多少: ['answer', ['term-deposit-rate', 'early-withdrawal']],
  'how much for three years': ['answer', ['term-deposit-rate', 'early-withdrawal']],
  开户送什么: ['answer', ['spring-offer']],
};

const byRote: Recognizer = {
  understand(text, { language, today, audience }) {
    const asked = text.trim();
    const titled = library.find(({ title }) => title === asked);
    const [band, ids] = titled ? (['answer', [titled.id]] as const) : (HEARD[asked] ?? (['miss', []] as const));
    const known = ids.flatMap((id) => library.find((article) => article.id === id && article.lang === language) ?? []);
    const articles = known.filter((article) => servable(article, { language, audience, today }));
    return Promise.resolve(
      understood(language, known.length > articles.length ? 'miss' : band, articles, known.length > 0),
    );
  },
};

function understood(language: Language, band: Band, articles: readonly Article[], known: boolean): Understanding {
  if (band === 'miss') return { language, band, articles: [], missed: known ? 'knowledge_expired' : 'nothing_found' };
  return { language, band, articles: articles.map((article) => ({ article, score: 1 })), missed: null };
}

/** Knows the term deposit's rate; has no exchange rate today. */
const rates: DialogCollaborators['rates'] = {
  render(table, language, today) {
    if (table !== 'term-deposit') return null;
    return language === 'zh'
      ? `1.55%，自 2026-11-01 起执行，查询日 ${today}`
      : `1.55%, in force from 2026-11-01, as of ${today}`;
  },
};

export const knowledge: Omit<DialogCollaborators, 'strings' | 'bank'> = {
  recognizer: byRote,
  articles: shelve(library),
  rates,
};
