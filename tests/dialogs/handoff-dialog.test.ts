/** A person in one step, from every state, and an honest word about when. */

import { beforeEach, describe, expect, it } from 'vitest';
import { knowledge } from '../support/library.ts';
import { BotInProcess, play } from '../support/script.ts';

const ASKED = { kind: 'handoff.request', ref: 'handoff', code: 'ASKED', priority: 3 };

/** Every state a conversation can be in, and how it gets there. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  'nothing said yet': [],
  greeted: ['你好'],
  'asked whether it helped': ['存三年利息多少'],
  'asked which was meant': ['定期'],
  'asked about one guess': ['存钱安全'],
  'asked whether a person is wanted': ['天气', '股票'],
  'after a miss': ['天气'],
  'after a wrong answer': ['存三年利息多少', '没解决'],
  'after an outdated article': ['开户送什么'],
  'without a rate': ['今天美元汇率多少？'],
  'after help': ['帮助'],
  'starting over': ['重新开始'],
  'in English': ['English'],
  'after the end': ['结束对话'],
};

const COMMANDS = ['转人工', '人工', '真人', 'human', 'agent', 'Talk to a person', '我要找人工客服', '轉人工'];

describe.each(Object.entries(STATES))('%s', (_, before) => {
  it.each(COMMANDS)('%s records a request at once', async (command) => {
    const bot = new BotInProcess({ collaborators: knowledge });
    for (const words of before) await bot.hears(words);
    const answer = await bot.hears(command);
    expect(answer.effects).toContainEqual(ASKED);
    expect(answer.texts.at(-1)).toContain('H20261123-000001');
    expect(answer.chips.filter((chip) => chip !== 'English' && chip !== '中文')).toEqual([
      expect.stringMatching(/^取消转人工$|^Cancel the request$/),
    ]);
    expect(bot.conversation.openHandoff?.number).toBe('H20261123-000001');
  });
});

describe('a customer who asks for a person', () => {
  let bot: BotInProcess;
  beforeEach(async () => {
    bot = new BotInProcess({ collaborators: knowledge });
    await bot.hears('你好');
  });

  it('is told the number, the hours, who sees what, and the hotline for what cannot wait', async () => {
    const [text = ''] = (await bot.hears('转人工')).texts;
    for (const fact of ['编号 H20261123-000001', '还不能当场接通', '周一至周五 9:00–17:00', '全部对话', '400-000-0000'])
      expect(text).toContain(fact);
  });

  it('is told the same in English', async () => {
    const english = new BotInProcess({ collaborators: knowledge });
    const text = (await english.hears('human')).texts.at(-1);
    for (const fact of [
      'number H20261123-000001',
      'can’t connect you on the spot',
      'Monday to Friday',
      'whole conversation',
      '400-000-0000',
    ])
      expect(text).toContain(fact);
  });

  it('keeps the number when asking again, and hears since when it stands', async () => {
    await bot.hears('转人工');
    bot.pass(12);
    await play(
      bot,
      `customer: 人工
       bot: 编号还是 H20261123-000001，12 分钟前登记的`,
    );
    bot.pass(3 * 60);
    await play(
      bot,
      `customer: human
       bot: 3 小时前登记的`,
    );
  });

  it('goes on being answered while waiting', async () => {
    await play(
      bot,
      `customer: 转人工
       bot: 已经为您登记
       customer: 存款有保险吗？
       bot: 五十万元以内
       customer: 有帮助
       bot: 还在排队`,
    );
  });

  it('is not offered another person for a miss: staff will see the question', async () => {
    await bot.hears('转人工');
    for (const words of ['天气', '股票', '彩票', '没用', '不对', '听不懂']) {
      const answer = await bot.hears(words);
      expect(answer.texts[0]).toContain('H20261123-000001');
      expect(answer.effects).toEqual([]);
    }
  });

  it.each([
    '取消转人工',
    '取消',
    '不用转人工了',
    '不需要人工了',
    'cancel',
    'Cancel the request',
    'I no longer need a human',
  ])('may take it back: %s', async (words) => {
    await bot.hears('转人工');
    const answer = await bot.hears(words);
    expect(answer.effects).toEqual([{ kind: 'handoff.cancel' }]);
    expect(answer.texts[0]).toContain('H20261123-000001');
    expect(bot.conversation.openHandoff).toBeNull();
  });

  it.each(['没事', '算了', '不用了', 'never mind'])('does not lose it by a mere %s', async (words) => {
    await bot.hears('转人工');
    const answer = await bot.hears(words);
    expect(answer.effects).toEqual([]);
    expect(answer.texts[0]).toContain('还在排队');
  });

  it('may ask again after taking it back, under a new number', async () => {
    await bot.hears('转人工');
    await bot.hears('取消转人工');
    expect((await bot.hears('转人工')).texts[0]).toContain('H20261123-000002');
  });

  it('has what went wrong before forgotten: it is in good hands', async () => {
    for (const words of ['天气', '股票', '转人工', '取消转人工']) await bot.hears(words);
    expect((await bot.hears('彩票')).texts[0]).toContain('大家常问的');
  });

  it('may correct the assistant as often as need be while waiting', async () => {
    await bot.hears('转人工');
    for (let n = 0; n < 4; n += 1) {
      const answer = await bot.hears('不对，存款有保险吗？');
      expect(answer.effects).toEqual([]);
      expect(answer.texts.at(-1)).toContain('五十万元');
    }
  });

  it('is not promised what this version cannot do', async () => {
    const { texts } = await bot.hears('转人工');
    expect(texts.join()).not.toMatch(/马上|立即|正在(?:为您)?转接|稍等片刻/);
  });
});

it('words that only sound like it record nothing', async () => {
  const bot = new BotInProcess({ collaborators: knowledge });
  await bot.hears('你好');
  for (const words of ['你是人工智能吗', '人工费多少', '转人民币到美元账户', 'my insurance agent called me']) {
    await bot.hears(words);
    expect(bot.conversation.openHandoff).toBeNull();
    await bot.hears('重新开始');
  }
});
