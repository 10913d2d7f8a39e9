/** How the assistant welcomes a customer and takes leave. */

import { describe, expect, it } from 'vitest';
import { knowledge } from '../support/library.ts';
import { BotInProcess, play } from '../support/script.ts';

const newBot = (locale?: string): BotInProcess =>
  new BotInProcess({ collaborators: knowledge, ...(locale !== undefined && { locale }) });

const told = (language: 'zh' | 'en') => ({
  kind: 'consent',
  purpose: 'ai_notice',
  action: 'told',
  textVersion: 'ai-notice-1',
  language,
});

describe('the welcome', () => {
  it('tells a customer who opens the chat that a machine answers, and records that it did', async () => {
    const answer = await newBot().joins();
    expect(answer.texts).toHaveLength(1);
    expect(answer.texts[0]).toContain('智能助手，由程序自动回复，不是真人');
    expect(answer.effects).toEqual([told('zh')]);
  });

  it('offers common questions and a person', async () => {
    const { chips } = await newBot().joins();
    expect(chips).toEqual(['三年定期存款利率是多少？', '跨行转账多久到账？', '转人工']);
  });

  it('speaks the language of the page until the customer has written', async () => {
    const answer = await newBot('en-US').joins();
    expect(answer.texts[0]).toContain('My replies are automatic; I’m not a person');
    expect(answer.effects).toEqual([told('en')]);
  });

  it('comes once, however often the page is opened', async () => {
    const bot = newBot();
    await bot.joins();
    expect((await bot.joins()).activities).toEqual([]);
  });

  it('goes before the answer when the customer began with a question', async () => {
    const bot = newBot();
    const answer = await play(
      bot,
      `customer: 存三年利息多少
       bot: 我是智能助手，由程序自动回复
       bot: 三年定期存款利率如下`,
    );
    expect(answer.effects).toContainEqual(told('zh'));
    expect((await bot.joins()).activities).toEqual([]);
  });

  it('answers a first hello by itself', async () => {
    const answer = await play(newBot(), 'customer: 你好');
    expect(answer.texts).toHaveLength(1);
    expect(answer.texts[0]).toContain('欢迎光临');
  });

  it('greets members a Bot Framework channel adds', async () => {
    const answer = await newBot('en').hears({
      type: 'conversationUpdate',
      membersAdded: [{ id: 'customer', name: '' }],
    });
    expect(answer.texts[0]).toContain('welcome');
  });
});

describe('the farewell', () => {
  const ends = { type: 'endOfConversation' } as const;

  it.each([
    ['结束对话', '感谢您的光临'],
    ['end chat', 'Thank you for coming by'],
  ])('answers %s with thanks and closes the chat', async (words, thanks) => {
    const bot = newBot();
    await bot.hears(words === '结束对话' ? '你好' : 'hello');
    const answer = await bot.hears(words);
    expect(answer.texts[0]).toContain(thanks);
    expect(answer.activities.at(-1)?.type).toBe('endOfConversation');
    expect(answer.effects).toContainEqual({ kind: 'conversation.end' });
    expect(answer.chips).toEqual([]);
  });

  it('is said once when the page ends the chat twice', async () => {
    const bot = newBot();
    await bot.joins();
    expect((await bot.hears(ends)).activities.map(({ type }) => type)).toEqual(['message', 'endOfConversation']);
    const again = await bot.hears(ends);
    expect(again.activities).toEqual([]);
    expect(again.effects).toEqual([]);
  });

  it('leaves no open question behind', async () => {
    const bot = newBot();
    await bot.hears('定期');
    await bot.hears('结束对话');
    await play(
      bot,
      `customer: 2
       bot: 我是智能助手
       bot: 这个数字我没对上`,
    );
  });

  it('is followed by a fresh beginning, with the notice told again', async () => {
    const bot = newBot();
    await bot.hears('结束对话');
    expect((await bot.joins()).activities).toEqual([]);
    const answer = await bot.hears('你好');
    expect(answer.texts[0]).toContain('智能助手');
    expect(answer.effects).toContainEqual(told('zh'));
  });

  it('says that a waiting request goes with it', async () => {
    const bot = newBot();
    await bot.hears('转人工');
    const answer = await bot.hears(ends);
    expect(answer.texts[0]).toContain('H20261123-000001）也一并取消了');
  });

  it('is not what a goodbye means to somebody who waits for a person', async () => {
    const bot = newBot();
    await bot.hears('转人工');
    const answer = await play(
      bot,
      `customer: 再见
       bot: 还在排队
       chips: 取消转人工`,
    );
    expect(answer.effects).toEqual([]);
    expect(bot.conversation.openHandoff).not.toBeNull();
  });
});
