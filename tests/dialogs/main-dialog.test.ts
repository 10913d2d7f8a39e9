/** The order of work in a turn, and everything that is not a question. */

import { beforeEach, describe, expect, it } from 'vitest';
import { en } from '../../dialogs/strings/en.ts';
import { zh } from '../../dialogs/strings/zh.ts';
import type { Recognizer } from '../../knowledge/types.ts';
import { knowledge } from '../support/library.ts';
import { BotInProcess, play } from '../support/script.ts';

let bot: BotInProcess;
beforeEach(async () => {
  bot = new BotInProcess({ collaborators: knowledge });
  await bot.hears('你好');
});

describe('a message without a question', () => {
  it.each([
    ['谢谢', '不客气'],
    ['多谢！', '不客气'],
    ['你真棒', '不客气'],
    ['你是谁', '不是真人'],
    ['你是机器人吗？', '不是真人'],
    ['你是人工智能吗', '不是真人'],
    ['嗯', '还有什么可以帮您'],
    ['有帮助', '能帮到您我很高兴'],
    ['在吗', '有什么可以帮您'],
    ['😀😀', '打几个字告诉我'],
    ['？？？', '打几个字告诉我'],
    ['', '没有文字'],
  ])('%j is answered kindly', async (words, kind) => {
    expect((await bot.hears(words)).texts).toEqual([expect.stringContaining(kind)]);
  });

  it.each([
    ['thank you', 'welcome'],
    ['who are you', 'not a person'],
    ['are you a robot?', 'not a person'],
    ['ok', 'anything else'],
  ])('%j is answered kindly in English', async (words, kind) => {
    const english = new BotInProcess({ collaborators: knowledge });
    await english.hears('hello');
    expect((await english.hears(words)).texts).toEqual([expect.stringContaining(kind)]);
  });

  it('a file alone is acknowledged, and words are asked for', async () => {
    const answer = await bot.hears({
      type: 'message',
      attachments: [{ contentType: 'image/png', contentUrl: '/files/1' }],
    });
    expect(answer.texts).toEqual([zh.wordless.file]);
  });

  it('a file with a question has the question answered', async () => {
    const answer = await bot.hears({
      type: 'message',
      text: '存款有保险吗？',
      attachments: [{ contentType: 'image/png', contentUrl: '/files/1' }],
    });
    expect(answer.texts).toEqual([zh.wordless.fileToo, expect.stringContaining('五十万元')]);
  });

  it('a submitted card is declined politely', async () => {
    expect((await bot.hears({ type: 'message', value: { amount: 5 } })).texts).toEqual([zh.wordless.form]);
  });

  it('a button that comes as a value counts as said', async () => {
    expect((await bot.hears({ type: 'message', value: '转人工' })).effects).toHaveLength(1);
  });

  it.each([
    { type: 'event', name: 'something/else', value: { a: 1 } },
    { type: 'event' },
    { type: 'typing' },
    { type: 'messageReaction', reactionsAdded: [{ type: 'like' }] },
    { type: 'conversationUpdate' },
    { type: 'neverHeardOf' },
  ])('$type $name is met with silence', async (activity) => {
    expect(await bot.hears(activity)).toMatchObject({ activities: [], effects: [] });
  });
});

it('a tapped title is answered whatever the recogniser makes of it, in either language', async () => {
  const deaf: Recognizer = {
    understand: (_, { language }) => Promise.resolve({ language, band: 'miss', articles: [], missed: 'nothing_found' }),
  };
  const tapping = new BotInProcess({ collaborators: { ...knowledge, recognizer: deaf } });
  await tapping.hears('你好');
  expect((await tapping.hears('存款有保险吗？')).texts[0]).toContain('五十万元');
  expect((await tapping.hears('Are deposits insured?')).texts[0]).toContain('五十万元');
});

describe('odd input', () => {
  it.each([
    ['a very long text', '我想问一下'.repeat(800)],
    ['a long text that nearly is a short word', `不对${'一点'.repeat(1_900)}`],
    ['a word repeated in one breath', '是的'.repeat(40)],
    ['many emoji', '😀'.repeat(2_000)],
    ['mixed languages', '我的 card 丢了 what should I do 怎么办'],
    ['markup', '<script>alert(1)</script> **bold** [x](javascript:alert(1))'],
    ['placeholders', '{{handoff}} {{rates:term-deposit}}'],
    ['a number alone', '42'],
    ['control characters', 'a\u0007b\u200b'],
  ])('%s gets an answer, at once, that repeats nothing of it', async (_, words) => {
    const began = performance.now();
    const answer = await bot.hears(words);
    expect(performance.now() - began).toBeLessThan(500);
    expect(answer.texts.length).toBeGreaterThan(0);
    expect(answer.texts.join()).not.toContain(words.slice(0, 12));
  });
});

describe('a secret the customer typed', () => {
  it('brings one warning and the question again, never a miss', async () => {
    for (let n = 0; n < 4; n += 1) {
      const answer = await bot.hears('我的[密码已删除]', ['password']);
      expect(answer.texts).toEqual([`${zh.erased.sorry}\n\n${zh.erased.sayAgain}`]);
      expect(answer.effects).toEqual([]);
    }
  });

  it('is warned of before the answer', async () => {
    const answer = await bot.hears({ type: 'message', text: '存款有保险吗？' }, ['code']);
    expect(answer.texts).toEqual([zh.erased.sorry, expect.stringContaining('五十万元')]);
  });

  it('does not stand in the way of a person', async () => {
    const answer = await bot.hears('转人工', ['cvv']);
    expect(answer.texts[0]).toBe(zh.erased.sorry);
    expect(answer.effects).toContainEqual(expect.objectContaining({ kind: 'handoff.request' }));
  });

  it('is not warned of again with the next message', async () => {
    await bot.hears('[密码已删除]', ['password']);
    expect((await bot.hears('谢谢')).texts).toEqual([zh.courtesy.thanks]);
  });
});

describe('memory of another version of the program', () => {
  const unknownDialog = { dialogStack: [{ id: 'gone-dialog', state: { step: 3 } }] };

  const forget = (change: (kept: Record<string, unknown>) => Record<string, unknown>): void =>
    bot.remember((state) => ({ ...state, conversation: change(state.conversation as Record<string, unknown>) }));

  it.each([
    ['a dialog that no longer exists', (kept: Record<string, unknown>) => ({ ...kept, DialogState: unknownDialog })],
    ['an older shape', (kept: Record<string, unknown>) => ({ ...kept, Visit: { turns: 4 } })],
  ])('(%s) is put down with one apology and the offer of a person', async (_, change) => {
    await bot.hears('定期');
    forget(change);
    const answer = await bot.hears('2');
    expect(answer.texts).toEqual([`${zh.lostThread.sorry}\n\n${zh.lostThread.sayAgain}`]);
    expect(answer.chips).toContain('转人工');
    expect((await bot.hears('谢谢')).texts).toEqual([zh.courtesy.thanks]);
  });

  it('is apologised for once, even to somebody who only sends an emoji', async () => {
    forget((kept) => ({ ...kept, DialogState: unknownDialog }));
    expect((await bot.hears('😀')).texts[0]).toContain(zh.lostThread.sorry);
    expect((await bot.hears('😀')).texts).toEqual([zh.wordless.emoji]);
  });

  it('does not keep a new question from its answer', async () => {
    forget((kept) => ({ ...kept, DialogState: unknownDialog }));
    const answer = await bot.hears('存款有保险吗？');
    expect(answer.texts).toEqual([zh.lostThread.sorry, expect.stringContaining('五十万元')]);
  });

  it('does not keep a customer from a person', async () => {
    forget((kept) => ({ ...kept, DialogState: unknownDialog }));
    expect((await bot.hears('人工')).effects).toContainEqual(expect.objectContaining({ code: 'ASKED' }));
  });
});

describe('the state', () => {
  it('equals its JSON and stays small in every step of a long conversation', async () => {
    const words = ['定期', '2', '没解决', '天气', '股票', '好', 'English', 'deposits', 'wrong', '转人工', '重新开始'];
    for (const said of words) {
      await bot.hears(said);
      const { state } = bot.conversation;
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(2_048);
    }
  });

  it('is each conversation’s own, though they share the dialogs', async () => {
    const [one, other] = ['a', 'b'].map(
      (letter) => new BotInProcess({ collaborators: knowledge, conversationId: letter.repeat(22) }),
    ) as [BotInProcess, BotInProcess];
    await Promise.all([one.hears('你好'), other.hears('hello')]);
    await Promise.all([one.hears('定期'), other.hears('how much for three years')]);
    const [first, second] = await Promise.all([one.hears('2'), other.hears('Not solved')]);
    expect(first.texts[0]).toContain('提前支取的部分');
    expect(second.texts[0]).toContain('Did you perhaps mean');
  });
});

it.each([
  ['the recogniser', '天气', { recognizer: { understand: () => Promise.reject(new Error('gone')) } }],
  [
    'the rates',
    '存三年利息多少',
    {
      rates: {
        render: () => {
          throw new Error('gone');
        },
      },
    },
  ],
])('when %s fail, the turn fails with their own error, without the dialogs’ memory', async (_, words, failing) => {
  const broken = new BotInProcess({ collaborators: { ...knowledge, ...failing } });
  const error: unknown = await broken.hears(words).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ message: 'gone' });
  expect(error).not.toHaveProperty('dialogContext');
});

it('both languages have a sentence for a turn that failed, with the way to a person', () => {
  for (const [strings, person] of [
    [zh, '转人工'],
    [en, 'human'],
  ] as const) {
    const words = strings.failure('400-000-0000');
    expect(words).toContain('400-000-0000');
    expect(words).toContain(person);
  }
});

it('a turn sends no trace, and every script line can fail', async () => {
  expect((await bot.hears('定期')).activities.map(({ type }) => type)).toEqual(['message']);
  await expect(play(bot, 'customer: 谢谢\nbot: 再见')).rejects.toThrow('Expected the bot to say');
  await expect(play(bot, 'customer: 谢谢\nchips: x')).rejects.toThrow('Expected the chips');
  await expect(play(bot, 'customer: 谢谢\nsilence:')).rejects.toThrow('Expected silence');
});
