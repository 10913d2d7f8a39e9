import { describe, expect, test } from 'vitest';
import { createLocalRecognizer } from '../../knowledge/recognizer.ts';
import { createTokenizer } from '../../knowledge/tokenize.ts';
import type { Article, UnderstandingContext } from '../../knowledge/types.ts';

const base = {
  audience: 'public',
  validFrom: '2026-01-01',
  validTo: null,
  reviewBy: '2027-01-01',
  approvedBy: 'lead',
  approvedAt: '2025-12-01',
  source: 's',
  version: 1,
  risk: 'none',
  related: [],
} as const;

function pair(
  id: string,
  topic: string,
  zh: readonly [string, ...string[]],
  en: readonly [string, ...string[]],
  more: Partial<Article> = {},
): Article[] {
  return (
    [
      ['zh', zh],
      ['en', en],
    ] as const
  ).map(([lang, [title, ...phrasings]]) => ({
    ...base,
    id,
    lang,
    intents: [topic],
    title,
    phrasings,
    body: `${id} ${lang}`,
    ...more,
  }));
}

const lost = (more?: Partial<Article>, id = 'lost-card') =>
  pair(
    id,
    'card.lost',
    ['银行卡丢了怎么办', '卡丢了要挂失', '挂失银行卡'],
    ['I lost my bank card', 'report a lost card', 'block a stolen card'],
    more,
  );
const fee = pair(
  'transfer-fee',
  'transfer.fee',
  ['转账手续费多少', '转账要收费吗', '手续费标准'],
  ['what is the transfer fee', 'transfer charges', 'cost of a transfer'],
);
const rate = pair(
  'term-rate',
  'deposit.rate_term',
  ['三年定期利率多少', '定期存款利息', '存三年利率'],
  ['three year deposit rate', 'interest on a time deposit', 'fixed deposit rate'],
);
const branch = pair(
  'branch',
  'branch.nearest',
  ['附近网点在哪里', '网点地址', '最近的支行'],
  ['where is the nearest branch', 'branch address', 'find a branch'],
);

const tokenizer = createTokenizer({ articles: [] });
const asked = (articles: readonly Article[], text: string, context: Partial<UnderstandingContext> = {}) =>
  createLocalRecognizer(articles, { tokenizer }).understand(text, {
    language: 'zh',
    today: '2026-11-23',
    audience: 'public',
    ...context,
  });
const all = [...lost(), ...fee, ...rate, ...branch];
const ids = (understanding: { articles: readonly { article: Article }[] }) =>
  understanding.articles.map((found) => found.article.id);

describe('a question', () => {
  test('near to one article is answered', async () => {
    expect(await asked(all, '我的银行卡丢了')).toMatchObject({
      language: 'zh',
      band: 'answer',
      missed: null,
      articles: [{ article: { id: 'lost-card', lang: 'zh' } }],
    });
    expect(await asked(all, 'I have lost my card', { language: 'en' })).toMatchObject({
      language: 'en',
      band: 'answer',
      articles: [{ article: { id: 'lost-card', lang: 'en' } }],
    });
  });

  test('that is a title or a phrasing word for word is answered for certain, whatever else is near', async () => {
    const twin = pair(
      'lost-passbook',
      'deposit.passbook',
      ['银行卡丢了怎么办呀', '存折丢了'],
      ['I lost my bank card too', 'lost passbook'],
    );
    for (const text of ['银行卡丢了怎么办', '银行卡丢了怎么办？', '  银行卡丢了，怎么办 ']) {
      const understanding = await asked([...all, ...twin], text);
      expect(understanding.band).toBe('answer');
      expect(ids(understanding)).toEqual(['lost-card']);
      expect(understanding.articles[0]?.score).toBe(1);
    }
  });

  test('between two articles is asked back: both are offered, best first', async () => {
    const cards = [
      ...pair(
        'debit-fee',
        'card.annual_fee',
        ['借记卡年费', '借记卡要年费吗'],
        ['debit card annual fee', 'debit card yearly fee'],
      ),
      ...pair(
        'credit-fee',
        'ccard.fee_waive',
        ['信用卡年费', '信用卡要年费吗'],
        ['credit card annual fee', 'credit card yearly fee'],
      ),
    ];
    const understanding = await asked([...all, ...cards], 'the card annual fee');
    expect(understanding.band).toBe('offer');
    expect(ids(understanding)).toEqual(expect.arrayContaining(['debit-fee', 'credit-fee']));
    expect(understanding.articles.length).toBeLessThanOrEqual(3);
    const scores = understanding.articles.map((found) => found.score);
    expect(scores).toEqual([...scores].sort((one, other) => other - one));
  });

  test('never offers more than three', async () => {
    const many = Array.from({ length: 6 }, (_, index) =>
      pair(`fee-${index}`, 'transfer.fee', [`手续费 ${index}`, '收费标准'], [`fee ${index}`, 'charges']),
    ).flat();
    expect(ids(await asked(many, '手续费收费'))).toHaveLength(3);
  });

  test('about nothing the bank knows is a miss', async () => {
    for (const text of ['今天天气怎么样', 'who won the world cup']) {
      expect(await asked(all, text)).toMatchObject({ band: 'miss', articles: [], missed: 'nothing_found' });
    }
  });

  test.each(['', '   ', '👍', '😀😀', '12345', '６６６', '?!', '。。。'])('%j asks nothing', async (text) => {
    expect(await asked(all, text)).toEqual({ language: 'zh', band: 'miss', articles: [], missed: 'nothing_found' });
  });

  test.each(['好的', '谢谢', '不对', '为什么', 'thanks', 'hello', 'ok', 'no'])('%s is no question', async (text) => {
    expect((await asked(all, text)).band).toBe('miss');
  });

  test('in the other language is matched there and answered in the conversation’s', async () => {
    const understanding = await asked(all, 'I lost my bank card', { language: 'zh' });
    expect(understanding.language).toBe('en');
    expect(understanding.articles[0]?.article).toMatchObject({ id: 'lost-card', lang: 'zh' });
  });
});

describe('an article that may not be shown', () => {
  const cases: readonly [string, Partial<Article>, string][] = [
    ['expired', { validTo: '2026-11-23' }, 'knowledge_expired'],
    ['not yet valid', { validFrom: '2026-11-24' }, 'knowledge_expired'],
    ['a draft', { approvedBy: null, approvedAt: null }, 'nothing_found'],
    ['for staff only', { audience: 'staff' }, 'nothing_found'],
  ];

  test.each(cases)('because it is %s makes a miss: %j says %s', async (_, more, missed) => {
    const library = [...lost(more), ...fee, ...rate, ...branch];
    expect(await asked(library, '我的银行卡丢了要挂失')).toEqual({
      language: 'zh',
      band: 'miss',
      articles: [],
      missed,
    });
    expect(await asked(library, 'my bank card is lost, block it', { language: 'en' })).toEqual({
      language: 'en',
      band: 'miss',
      articles: [],
      missed,
    });
  });

  test.each(cases)('because it is %s is not even a third suggestion', async (_, more) => {
    const library = [...lost(more), ...fee, ...rate, ...branch];
    const understanding = await asked(library, '转账手续费，定期利率，还有卡丢了挂失');
    expect(ids(understanding)).not.toContain('lost-card');
  });

  test('word for word is a miss as well', async () => {
    expect(await asked(lost({ validTo: '2026-06-01' }), '挂失银行卡')).toMatchObject({
      band: 'miss',
      missed: 'knowledge_expired',
    });
  });

  test('comes and goes at bank-local midnight', async () => {
    const library = [...lost({ validFrom: '2026-11-23', validTo: '2026-11-24' }), ...fee, ...rate, ...branch];
    const band = async (today: string) => (await asked(library, '银行卡丢了', { today })).band;
    expect([await band('2026-11-22'), await band('2026-11-23'), await band('2026-11-24')]).toEqual([
      'miss',
      'answer',
      'miss',
    ]);
  });

  test('is valid on a leap day that is its only one', async () => {
    const library = [...lost({ validFrom: '2028-02-29', validTo: '2028-03-01' }), ...fee, ...rate, ...branch];
    const band = async (today: string) => (await asked(library, '银行卡丢了', { today })).band;
    expect([await band('2028-02-28'), await band('2028-02-29'), await band('2028-03-01')]).toEqual([
      'miss',
      'answer',
      'miss',
    ]);
  });

  test('gives way to the one that took its place on the same topic', async () => {
    const library = [
      ...lost({ validTo: '2026-11-01' }),
      ...lost({ validFrom: '2026-11-01' }, 'lost-card-new'),
      ...fee,
      ...rate,
      ...branch,
    ];
    expect(ids(await asked(library, '银行卡丢了怎么办'))).toEqual(['lost-card-new']);
    expect(ids(await asked(library, '我银行卡丢了'))[0]).toBe('lost-card-new');
    expect(ids(await asked(library, '我银行卡丢了', { today: '2026-10-31' }))[0]).toBe('lost-card');
  });

  test('does not spoil what else is known', async () => {
    expect(
      ids(await asked([...lost({ validTo: '2026-06-01' }), ...fee, ...rate, ...branch], '转账手续费是多少')),
    ).toEqual(['transfer-fee']);
  });

  test('is shown to whom it is meant for', async () => {
    const library = [...lost({ audience: 'signed-in' }), ...fee, ...rate, ...branch];
    expect(ids(await asked(library, '银行卡丢了', { audience: 'signed-in' }))).toContain('lost-card');
    expect(ids(await asked(library, '银行卡丢了', { audience: 'public' }))).not.toContain('lost-card');
  });
});
