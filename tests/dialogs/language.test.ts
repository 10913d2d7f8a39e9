/** In which language a customer is answered. */

import { describe, expect, it } from 'vitest';
import { knowledge } from '../support/library.ts';
import { BotInProcess, play } from '../support/script.ts';

const newBot = (locale?: string): BotInProcess =>
  new BotInProcess({ collaborators: knowledge, ...(locale !== undefined && { locale }) });

describe('the language of a conversation', () => {
  it('is that of the first message, whatever the page’s was', async () => {
    const bot = newBot('zh-CN');
    await bot.joins();
    await play(
      bot,
      `customer: how much for three years
       bot: This is the three-year rate`,
    );
    expect(bot.conversation).toMatchObject({ language: 'en', languageChosen: false });
  });

  it('is undecided by digits, emoji and abbreviations', async () => {
    const bot = newBot('en-GB');
    await play(
      bot,
      `customer: 123
       bot: Hello
       customer: 😊
       bot: Thank you
       customer: LPR
       bot: Sorry`,
    );
    expect(bot.conversation.language).toBeNull();
  });

  it('changes with the second message in a row in the other one', async () => {
    const bot = newBot();
    await play(
      bot,
      `customer: 你好
       customer: hello
       bot: 您好
       customer: are deposits safe
       bot: Sorry
       customer: 你好
       bot: Hello
       customer: 存款有保险吗？
       bot: 五十万元以内`,
    );
  });

  it('is offered to change with the first', async () => {
    const bot = newBot();
    await bot.hears('你好');
    expect((await bot.hears('what is the weather')).chips.at(-1)).toBe('English');
    expect((await bot.hears('天气')).chips).not.toContain('English');
  });

  it('does not change by two messages that are not in a row', async () => {
    const bot = newBot();
    for (const words of ['你好', 'hello', '你好', 'hello']) await bot.hears(words);
    expect(bot.conversation.language).toBe('zh');
  });

  it('does not change for Chinese with English words in it, nor for OK and LPR', async () => {
    const bot = newBot();
    await bot.hears('你好');
    for (const words of ['OK', 'LPR', 'App 登不上', 'ok', 'ETC']) await bot.hears(words);
    expect(bot.conversation.language).toBe('zh');
  });

  it('is not told by the marks that stand where a secret was erased', async () => {
    const bot = newBot();
    await bot.hears('hello');
    for (let n = 0; n < 3; n += 1) await bot.hears('my pin is [密码已删除]', ['password']);
    expect(bot.conversation.language).toBe('en');
  });

  it('stands on every message as its locale', async () => {
    const bot = newBot();
    expect((await bot.hears('你好')).activities[0]?.locale).toBe('zh-CN');
    expect((await bot.hears('English')).activities[0]?.locale).toBe('en-US');
  });
});
