/** What a customer says about the conversation itself. */

import { beforeEach, describe, expect, it } from 'vitest';
import { knowledge } from '../support/library.ts';
import { BotInProcess, play } from '../support/script.ts';

let bot: BotInProcess;
beforeEach(async () => {
  bot = new BotInProcess({ collaborators: knowledge });
  await bot.hears('你好');
});

describe('start over', () => {
  it('drops the open question and the count of misses', async () => {
    await play(
      bot,
      `customer: 天气
       customer: 股票
       customer: 定期
       customer: 重新开始
       bot: 我们从头开始
       chips: 三年定期存款利率是多少？ | 跨行转账多久到账？ | 转人工
       customer: 2
       bot: 这个数字我没对上
       customer: 彩票
       bot: 大家常问的`,
    );
  });

  it('keeps a waiting request, and says so', async () => {
    await bot.hears('转人工');
    await play(
      bot,
      `customer: 重新开始
       bot: 还在排队`,
    );
    expect(bot.conversation.openHandoff).not.toBeNull();
  });
});

describe('help', () => {
  it('says what can be said', async () => {
    const [text = ''] = (await bot.hears('帮助')).texts;
    for (const word of ['转人工', '重新开始', 'English', '结束对话']) expect(text).toContain(word);
  });

  it('comes back to the open question', async () => {
    await play(
      bot,
      `customer: 定期
       customer: 帮助
       bot: 我能回答
       bot: 您想问的是下面哪一个
       customer: 1
       bot: 三年定期存款利率如下`,
    );
  });

  it('names only commands that are understood', async () => {
    for (const [hello, help] of [
      ['你好', '帮助'],
      ['hello', 'help'],
    ] as const) {
      const fresh = new BotInProcess({ collaborators: knowledge });
      await fresh.hears(hello);
      const named = [...((await fresh.hears(help)).texts[0] ?? '').matchAll(/- [“"]([^”"]+)[”"]/gu)].map(
        ([, word = '']) => word,
      );
      expect(named).toHaveLength(4);
      for (const word of named) {
        const other = new BotInProcess({ collaborators: knowledge });
        await other.hears(hello);
        expect((await other.hears(word)).texts.join()).not.toMatch(/没找到|couldn’t find/);
      }
    }
  });
});

describe('cancel', () => {
  it('drops the open question', async () => {
    await play(
      bot,
      `customer: 定期
       customer: 算了
       bot: 先不说这个了`,
    );
  });

  it('says when there is nothing to cancel', async () => {
    await play(
      bot,
      `customer: 取消
       bot: 没有需要取消的`,
    );
  });
});

describe('another language', () => {
  it('says the last answer again in it', async () => {
    await play(
      bot,
      `customer: 存三年利息多少
       bot: 三年定期存款利率如下
       customer: English
       bot: English from now on
       bot: This is the three-year rate`,
    );
  });

  it('asks the open question again in it, and takes the answer', async () => {
    await play(
      bot,
      `customer: 定期
       customer: English
       bot: English
       bot: Which of these did you mean
       customer: 3
       bot: up to 500,000 yuan`,
    );
  });

  it('holds, whatever the customer writes in', async () => {
    await play(
      bot,
      `customer: English
       customer: 存款有保险吗？
       bot: up to 500,000 yuan
       customer: 你好
       bot: Hello
       customer: 中文
       bot: 用中文`,
    );
    expect(bot.conversation).toMatchObject({ language: 'zh', languageChosen: true });
  });

  const chooses = (language: unknown) => ({ type: 'event', name: 'lobby/language', value: { language } });

  it('may be chosen with the page’s switch, again and again without a word too many', async () => {
    const answer = await bot.hears(chooses('en'));
    expect(answer.texts[0]).toContain('English');
    expect(answer.effects).toEqual([{ kind: 'language', language: 'en', chosen: true }]);
    expect((await bot.hears(chooses('en'))).activities).toEqual([]);
  });

  it('chosen before anything was said is remembered in silence', async () => {
    const fresh = new BotInProcess({ collaborators: knowledge });
    expect((await fresh.hears(chooses('en'))).activities).toEqual([]);
    expect((await fresh.joins()).texts[0]).toContain('Hello, and welcome');
  });

  it.each([undefined, 'fr', 7, { zh: true }])('a switch to %s is nothing', async (language) => {
    expect(await bot.hears(chooses(language))).toMatchObject({ activities: [], effects: [] });
  });
});
