/** Conversations over the bank's own articles and the local recogniser, as a customer has them. */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { shelve } from '../../dialogs/shelf.ts';
import type { DialogCollaborators } from '../../dialogs/turn.ts';
import { approved, readArticles } from '../../knowledge/article.ts';
import { createLocalRecognizer } from '../../knowledge/recognizer.ts';
import type { Article } from '../../knowledge/types.ts';
import { type Answer, BotInProcess, play } from '../support/script.ts';

let articles: readonly Article[];
let bank: Omit<DialogCollaborators, 'strings' | 'bank'>;

beforeAll(() => {
  articles = readArticles(join(import.meta.dirname, '../../knowledge/articles')).filter(approved);
  bank = {
    recognizer: createLocalRecognizer(articles),
    articles: shelve(articles),
    rates: { render: (table, _, today) => `（${table} ${today}）` },
  };
});

const newBot = (locale = 'zh-CN'): BotInProcess => new BotInProcess({ collaborators: bank, locale });

describe('the chips of the welcome', () => {
  it.each(['zh-CN', 'en-US'])('all lead to an answer (%s)', async (locale) => {
    const { chips } = await newBot(locale).joins();
    expect(chips).toHaveLength(4);
    for (const chip of chips.slice(0, -1)) {
      const bot = newBot(locale);
      await bot.joins();
      const { activities } = await bot.hears(chip);
      expect(activities.at(-1)?.channelData).toMatchObject({ article: { version: expect.any(Number) } });
    }
  });
});

it('every article is answered when its title is tapped, whole and in the customer’s language', async () => {
  const bot = newBot();
  for (const article of articles) {
    await bot.hears(article.lang === 'zh' ? '中文' : 'English');
    const { activities, texts } = await bot.hears(article.title);
    expect(activities.at(-1)?.channelData, article.title).toMatchObject({
      article: { id: article.id, version: article.version },
    });
    expect(texts.join(), article.title).toContain(article.body.split('{{')[0]?.trim());
    expect(texts.join(), article.title).not.toContain('{{');
  }
});

it('every article’s related titles are ones a customer can tap', () => {
  for (const article of articles) {
    for (const id of article.related)
      expect(bank.articles.find(id, article.lang, '2026-11-23'), `${article.id} → ${id}`).not.toBeNull();
  }
});

it('answers an ordinary visit in Chinese', async () => {
  await play(
    newBot(),
    `customer: 我卡丢了怎么办
     bot: 我是智能助手
     bot: 锁卡
     chips: 有帮助 | 没解决 | 转人工
     customer: 谢谢
     bot: 太好了
     customer: 周六开门吗
     bot: 周六
     customer: 没解决
     bot: 没有答到点子上
     customer: 转人工
     bot: 编号 H20261123-000001
     customer: 存款保险赔多少
     bot: 500,000 元以内
     customer: 再见
     bot: 还在排队
     customer: 结束对话
     bot: 一并取消`,
  );
});

it('answers an ordinary visit in English', async () => {
  await play(
    newBot('en-US'),
    `customer: I lost my card
     bot: digital assistant
     bot: lock
     chips: Yes, it helped | Not solved | Talk to a person
     customer: thank you!
     bot: glad
     customer: dollar rate
     bot: fx 2026-11-23
     customer: human
     bot: number H20261123-000001
     customer: end chat
     bot: cancelled with it`,
  );
});

it('investment answers carry the risk line and no word of recommendation beyond the approved negations', async () => {
  for (const article of articles.filter(({ risk }) => risk === 'investment')) {
    const bot = newBot();
    await bot.hears(article.lang === 'zh' ? '中文' : 'English');
    const text = (await bot.hears(article.title)).texts.join();
    expect(text).toMatch(/风险提示|Please note/);
    expect(text.replace(/不保本|不保证|不承诺|不构成推荐|not guaranteed|not a recommendation/g, '')).not.toMatch(
      /推荐|保证|稳赚|保本|guarantee|recommend/i,
    );
  }
});

/** Words too short to mean one article. Which of them are unclear is the recogniser's business; some must be. */
const VAGUE = ['年费', '利率', '转账', '手续费', '贷款', '信用卡', '密码', '银行卡'];

it('offers, when unsure, titles that each lead to their own answer', async () => {
  let offers = 0;
  for (const words of VAGUE) {
    const { offered = [] } = factsOf(await newBot().hears(words));
    for (const [index, id] of offered.entries()) {
      const bot = newBot();
      await bot.hears(words);
      const chosen = await bot.hears(offered.length === 1 ? '是的' : String(index + 1));
      expect(factsOf(chosen).article?.id, `${words} ${index + 1}`).toBe(id);
      offers += 1;
    }
  }
  expect(offers).toBeGreaterThan(2);
});

/** What an answer tells the record. */
function factsOf({ activities }: Answer): {
  readonly article?: { readonly id: string };
  readonly offered?: readonly string[];
} {
  return activities.at(-1)?.channelData ?? {};
}
