/** Answering from articles, asking which was meant, and knowing when to stop. */

import { describe, expect, it } from 'vitest';
import { knowledge } from '../support/library.ts';
import { type Answer, BotInProcess, play } from '../support/script.ts';

/** A bot that has said hello. */
async function greeted(words = '你好'): Promise<BotInProcess> {
  const bot = new BotInProcess({ collaborators: knowledge });
  await bot.hears(words);
  return bot;
}

const lastOf = ({ activities }: Answer) => activities.at(-1);

describe('an answer', () => {
  it('is the article with today’s rate and its date, and asks whether it helped', async () => {
    await play(
      await greeted(),
      `customer: 存三年利息多少
       bot: 1.55%，自 2026-11-01 起执行，查询日 2026-11-23
       chips: 有帮助 | 没解决 | 转人工`,
    );
    await play(
      await greeted('hello'),
      `customer: how much for three years
       bot: 1.55%, in force from 2026-11-01, as of 2026-11-23
       chips: Yes, it helped | Not solved | Talk to a person`,
    );
  });

  it('carries the article’s id and version into the record', async () => {
    const answer = await (await greeted()).hears('存三年利息多少');
    expect(lastOf(answer)?.channelData).toEqual({ ai: true, article: { id: 'term-deposit-rate', version: 3 } });
  });

  it('is not given when a rate it needs is not in force today', async () => {
    const bot = await greeted();
    const answer = await play(
      bot,
      `customer: 今天美元汇率多少？
       bot: 查不到今天有效的数字`,
    );
    expect(answer.chips[0]).toBe('转人工');
    expect(lastOf(answer)?.channelData).toEqual({ ai: true });
    await play(
      bot,
      `customer: 好的
       bot: 已经为您登记人工服务`,
    );
  });

  it('carries the risk line when the article is about investments, and only then', async () => {
    const bot = await greeted();
    const wealth = await bot.hears('理财和存款有什么区别？');
    expect(wealth.texts[0]).toContain('可能亏损本金');
    expect(wealth.texts[0]).toContain('不构成推荐');
    expect((await bot.hears('存款有保险吗？')).texts[0]).not.toContain('风险提示');
  });

  it('warns of fraud where transfers and codes are talked of', async () => {
    expect((await (await greeted()).hears('跨行转账多久到账？')).texts[0]).toContain('防骗提醒');
    expect((await (await greeted('hello')).hears('How long does a transfer take?')).texts[0]).toContain('Stay safe');
    expect((await (await greeted()).hears('存款有保险吗？')).texts[0]).not.toContain('防骗提醒');
  });

  it.each(['有帮助', '谢谢', '解决了！', '嗯', '👍', '好的。'])(
    'that helped (%s) is followed by what else may be useful',
    async (words) => {
      const bot = await greeted();
      await bot.hears('存三年利息多少');
      await play(
        bot,
        `customer: ${words}
         bot: 下面这些，您可能也用得上
         chips: 定期存款提前支取怎么算利息？ | 存款有保险吗？ | 转人工`,
      );
    },
  );

  it.each(['没解决', '没用', '不对', '没有', '👎'])(
    'that did not help (%s) is followed by what else was near',
    async (words) => {
      const bot = await greeted();
      await bot.hears('存三年利息多少');
      await play(
        bot,
        `customer: ${words}
         bot: 您想问的会不会是下面这些
         chips: 定期存款提前支取怎么算利息？ | 转人工
         customer: 定期存款提前支取怎么算利息？
         bot: 提前支取的部分按活期利率计息`,
      );
    },
  );

  it('is judged in English as well', async () => {
    for (const [words, reply] of [
      ['Yes, it helped', 'may be useful too'],
      ['thanks a lot', 'may be useful too'],
      ['Not solved', 'perhaps mean one of these'],
      ['wrong', 'perhaps mean one of these'],
    ] as const) {
      const bot = await greeted('hello');
      await bot.hears('how much for three years');
      expect((await bot.hears(words)).texts[0]).toContain(reply);
    }
  });

  it('does not hold a customer who asks something else', async () => {
    const bot = await greeted();
    await bot.hears('存三年利息多少');
    await play(
      bot,
      `customer: 存款有保险吗？
       bot: 五十万元以内`,
    );
  });
});

describe('when it is unclear which was meant', () => {
  it('up to three titles are offered, with none of them and a person', async () => {
    await play(
      await greeted(),
      `customer: 定期
       bot: 2. 定期存款提前支取怎么算利息？
       chips: 三年定期存款利率是多少？ | 定期存款提前支取怎么算利息？ | 存款有保险吗？ | 都不是 | 转人工`,
    );
  });

  it.each([
    ['the title', '定期存款提前支取怎么算利息？'],
    ['the title without its mark', '定期存款提前支取怎么算利息'],
    ['a part that only it has', '提前支取'],
    ['its number', '2'],
    ['its number in full width', '２'],
    ['its number with a dot', '2.'],
    ['its number in words', '第二个'],
    ['its number in other words', '选二'],
    ['its number in English', 'the second one'],
  ])('the customer may choose by %s', async (_, words) => {
    const bot = await greeted();
    await bot.hears('定期');
    await play(
      bot,
      `customer: ${words}
       bot: 提前支取的部分按活期利率计息`,
    );
  });

  it('in English the customer may choose in English', async () => {
    for (const words of ['2', 'two', 'number 2', 'the second', 'withdraw']) {
      const bot = await greeted('hello');
      await bot.hears('deposits');
      expect((await bot.hears(words)).texts[0]).toContain('earns the current rate');
    }
  });

  it('a number that is not on the list brings the list again', async () => {
    const bot = await greeted();
    await bot.hears('定期');
    await play(
      bot,
      `customer: 7
       bot: 1 到 3
       customer: 0
       bot: 1 到 3
       customer: 3
       bot: 五十万元以内`,
    );
  });

  it('something new is answered as something new', async () => {
    const bot = await greeted();
    await bot.hears('定期');
    await play(
      bot,
      `customer: 跨行转账多久到账？
       bot: 一般几分钟到账`,
    );
  });

  it('a courtesy or an emoji leaves the question open', async () => {
    const bot = await greeted();
    await bot.hears('定期');
    await play(
      bot,
      `customer: 你好
       bot: 有什么可以帮您
       customer: 😊
       bot: 打几个字告诉我
       customer: 3
       bot: 五十万元以内`,
    );
  });

  it('none of these counts as nothing found', async () => {
    const bot = await greeted();
    await bot.hears('定期');
    await play(
      bot,
      `customer: 都不是
       bot: 没找到合适的答案`,
    );
  });

  it('a single guess is asked as yes or no', async () => {
    const bot = await greeted();
    await play(
      bot,
      `customer: 存钱安全
       bot: 您想问的是“存款有保险吗？”吗
       chips: 是的 | 都不是 | 转人工
       customer: 是的
       bot: 五十万元以内`,
    );
    await play(
      bot,
      `customer: 存钱安全
       bot: 您想问的是
       customer: 不是
       bot: 没找到合适的答案`,
    );
  });
});

describe('when nothing is found', () => {
  it('says so, how to ask better, and what others ask', async () => {
    const answer = await (await greeted()).hears('今天天气怎么样');
    expect(answer.texts[0]).toContain('没找到合适的答案');
    expect(answer.texts[0]).toContain('换个说法');
    expect(answer.chips).toEqual(['三年定期存款利率是多少？', '跨行转账多久到账？', '转人工']);
    expect(lastOf(answer)?.channelData).toEqual({ ai: true, missed: 'nothing_found' });
  });

  it.each([
    ['你好', ['天气', '股票', '彩票'], '要我帮您登记，请工作人员来回答吗', '一直没帮上您'],
    ['hello', ['the weather', 'the stocks', 'the lottery'], 'Shall I put in a request', 'haven’t been able to help'],
  ] as const)(
    'the second miss offers a person and the third hands over (%s)',
    async (hello, questions, offer, handed) => {
      const bot = await greeted(hello);
      await bot.hears(questions[0]);
      expect((await bot.hears(questions[1])).texts[0]).toContain(offer);
      const third = await bot.hears(questions[2]);
      expect(third.texts[0]).toContain(handed);
      expect(third.effects).toContainEqual({ kind: 'handoff.request', ref: 'handoff', code: 'MISSED', priority: 3 });
    },
  );

  it('the offer of a person is taken with a yes and turned down with a no', async () => {
    const accepting = await greeted();
    await play(
      accepting,
      `customer: 天气
       customer: 股票
       bot: 要我帮您登记
       customer: 好的
       bot: 已经为您登记人工服务，编号 H20261123-000001`,
    );
    const declining = await greeted();
    await play(
      declining,
      `customer: 天气
       customer: 股票
       bot: 要我帮您登记
       customer: 不要
       bot: 接着问我`,
    );
    expect(declining.conversation.openHandoff).toBeNull();
  });

  it('the count begins again once the customer was helped', async () => {
    const bot = await greeted();
    await play(
      bot,
      `customer: 天气
       customer: 股票
       bot: 要我帮您登记
       customer: 存三年利息多少
       bot: 三年定期
       customer: 有帮助
       bot: 太好了
       customer: 彩票
       bot: 大家常问的`,
    );
  });

  it('the count begins again when the customer says so unasked', async () => {
    const bot = await greeted();
    for (const words of ['天气', '股票', '解决了']) await bot.hears(words);
    expect((await bot.hears('彩票')).texts[0]).toContain('大家常问的');
  });

  it('what went wrong long ago no longer counts', async () => {
    const bot = await greeted();
    await bot.hears('天气');
    await bot.hears('股票');
    bot.pass(5 * 60);
    expect((await bot.hears('彩票')).texts[0]).toContain('大家常问的');
  });

  it('an answer found in between does not wipe the count', async () => {
    const bot = await greeted();
    await play(
      bot,
      `customer: 天气
       customer: 存款有保险吗？
       customer: 股票
       bot: 要我帮您登记`,
    );
  });

  it('knowledge that is no longer in force is never told; the bank is updating it', async () => {
    const bot = await greeted();
    const answer = await bot.hears('开户送什么');
    expect(answer.texts[0]).toContain('正在更新');
    expect(answer.texts[0]).not.toContain('有礼');
    expect(lastOf(answer)?.channelData).toEqual({ ai: true, missed: 'knowledge_expired' });
    await play(
      bot,
      `customer: 好
       bot: 已经为您登记人工服务`,
    );
  });

  it('an article that ends while it is offered is not served', async () => {
    const bot = new BotInProcess({ collaborators: knowledge, start: new Date('2026-05-31T15:59:00Z') });
    await bot.hears('春季开户有礼吗？');
    bot.pass(2);
    const answer = await bot.hears('English');
    expect(answer.texts.join()).not.toContain('gift');
  });
});

describe('when the customer says that the answer is wrong', () => {
  it.each([
    ['你好', ['不对', '没用', '听不懂']],
    ['hello', ['wrong', 'useless', 'I don’t understand']],
  ] as const)('the second time offers a person, the third hands over (%s)', async (hello, [first, second, third]) => {
    const bot = await greeted(hello);
    expect((await bot.hears(first)).effects).not.toContainEqual(expect.objectContaining({ kind: 'handoff.request' }));
    expect((await bot.hears(second)).chips[0]).toMatch(/转人工|Talk to a person/);
    const answer = await bot.hears(third);
    expect(answer.effects).toContainEqual({ kind: 'handoff.request', ref: 'handoff', code: 'NEGATIVE', priority: 3 });
  });

  it('what they meant is answered in the same turn', async () => {
    await play(
      await greeted(),
      `customer: 不对，存三年利息多少
       bot: 刚才理解错了
       bot: 三年定期存款利率如下`,
    );
  });

  it('the third correction goes to a person all the same', async () => {
    const bot = await greeted();
    await bot.hears('不对，存款有保险吗？');
    await bot.hears('不对，存三年利息多少');
    const answer = await bot.hears('不对，跨行转账多久到账？');
    expect(answer.effects).toContainEqual(expect.objectContaining({ code: 'NEGATIVE' }));
  });
});
