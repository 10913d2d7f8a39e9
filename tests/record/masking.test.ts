import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskJson, maskSplit, maskText } from '../../record/masking.ts';
import {
  CARDS,
  CLEAN,
  EMAILS,
  IDENTITIES,
  type MaskedVector,
  PHONES,
  REQUIRED_CLEAN,
  REQUIRED_MASKED,
  SECRETS,
} from './masking.vectors.ts';

/** A seeded source of random numbers, so that a failure comes back. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof seeded>;

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;
const digits = (random: Random, count: number) => Array.from({ length: count }, () => random(10)).join('');

/** Luhn's check as the standard words it, written apart from the one under test. */
function isLuhn(number: string): boolean {
  const doubled = [...number].reverse().map((digit, place) => Number(digit) * (place % 2 ? 2 : 1));
  return (
    doubled.map((value) => Math.floor(value / 10) + (value % 10)).reduce((sum, value) => sum + value, 0) % 10 === 0
  );
}

function card(random: Random, prefix: string, length: number): string {
  const body = prefix + digits(random, length - prefix.length - 1);
  return body + [...'0123456789'].find((check) => isLuhn(body + check));
}

const PREFIXES = ['62', '622202', '621700', '4', '51', '52', '53', '54', '55', '35', '37'];

function identity(random: Random): string {
  const region = pick(random, ['110101', '310115', '440305', '510107', '650102', '810000', '330106']);
  const birthday = new Date(Date.UTC(1930 + random(90), random(12), 1 + random(28)));
  const body = region + birthday.toISOString().slice(0, 10).replaceAll('-', '') + digits(random, 3);
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return body + '10X98765432'[weights.reduce((sum, weight, place) => sum + weight * Number(body[place]), 0) % 11];
}

const inFours = (number: string, joint: string) => (number.match(/.{1,4}/g) ?? []).join(joint);
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function expectMasked(vectors: readonly MaskedVector[]): void {
  const results = vectors.map(([typed]) => ({ typed, ...maskText(typed) }));
  expect(results).toEqual(vectors.map(([typed, text, ...erased]) => ({ typed, text, erased })));
}

function expectClean(sentences: readonly string[]): void {
  expect(sentences.map(maskText)).toEqual(sentences.map((text) => ({ text, erased: [] })));
}

describe('what a customer types', () => {
  it("is masked in every case of the bank's list, and the customer is warned of secrets", () =>
    expectMasked(REQUIRED_MASKED));
  it("is left alone in every other case of the bank's list", () => expectClean(REQUIRED_CLEAN));
  it('shows at most the last four digits of a card, however it is written', () => expectMasked(CARDS));
  it('shows at most the first three and last two characters of an identity number', () => expectMasked(IDENTITIES));
  it('hides the middle of a mobile number', () => expectMasked(PHONES));
  it('hides the name in an e-mail address', () => expectMasked(EMAILS));
  it('never keeps a password, a code, a security code, an expiry or track data', () => expectMasked(SECRETS));
  it('does not change by a character when nothing in it is private', () => expectClean(CLEAN));

  it('has enough everyday sentences to compare with', () => {
    expect(new Set(CLEAN).size).toBeGreaterThanOrEqual(300);
    expect(CLEAN.filter((sentence) => /\d/.test(sentence)).length).toBeGreaterThanOrEqual(150);
  });
});

describe('generated numbers', () => {
  it('finds each of 20,000 cards written in one piece', () => {
    const random = seeded(1);
    const cards = times(20_000, () => card(random, pick(random, PREFIXES), 16 + random(4)));
    const missed = cards.filter((number) => maskText(number).text !== `**** ${number.slice(-4)}`);
    // A card of 18 digits may be an identity number as well; then it is shown as one.
    expect(missed.filter((number) => !/^\d{3}\*{13}\d[\dX]$/.test(maskText(number).text))).toEqual([]);
    expect(missed.length).toBeLessThan(10);
  });

  it('finds each of 20,000 cards written in groups', () => {
    const random = seeded(2);
    const cards = times(20_000, () => {
      const prefix = pick(random, PREFIXES);
      return inFours(
        card(random, prefix, prefix.startsWith('62') ? 16 + random(4) : 16),
        pick(random, [' ', '-', '.', '　', ' - ']),
      );
    });
    expect(cards.filter((number) => maskText(number).text !== `**** ${number.replace(/\D/g, '').slice(-4)}`)).toEqual(
      [],
    );
  });

  it('finds each of 5,000 cards split anywhere in three', () => {
    const random = seeded(3);
    const cards = times(5_000, () => {
      const number = card(random, '62', 16 + random(4));
      const [one, two] = [1 + random(5), 1 + random(10)];
      return [number.slice(0, one), number.slice(one, one + two), number.slice(one + two)].join(' ');
    });
    // Eleven digits that stand like a mobile number are masked as one.
    const phone = /(?<!\d)1[3-9]\d{9}(?!\d)/;
    const missed = cards.filter((number) => !/^\*{4} \d{4}$/.test(maskText(number).text));
    expect(missed.filter((number) => !phone.test(number) || maskText(number).text === number)).toEqual([]);
  });

  it('finds each of 20,000 identity numbers, in one piece and in groups', () => {
    const random = seeded(4);
    const numbers = times(20_000, () => identity(random));
    const shown = (number: string) => `${number.slice(0, 3)}*************${number.slice(-2)}`;
    const grouped = (number: string) => `${number.slice(0, 6)} ${number.slice(6, 14)} ${number.slice(14)}`;
    expect(numbers.filter((number) => maskText(number).text !== shown(number))).toEqual([]);
    expect(numbers.filter((number) => maskText(grouped(number)).text !== shown(number))).toEqual([]);
  });

  it('takes fewer than 2 % of 20,000 random 18-digit serials for something else', () => {
    const random = seeded(5);
    const serials = times(20_000, () => 1 + random(9) + digits(random, 17));
    const alarms = serials.filter((serial) => maskText(serial).text !== serial);
    expect(alarms.length / serials.length).toBeLessThan(0.02);
    expect(serials.filter((serial) => maskText(`流水号${serial}已提交`).text.includes(serial)).length).toBeGreaterThan(
      19_600,
    );
  });

  it('erases each of 20,000 generated secrets, whatever the words around it', () => {
    const random = seeded(6);
    const phrases = {
      password: [
        '密码是#',
        '密码：#，进不去',
        '我的支付密码#不对',
        'PIN #',
        'my pin is #.',
        'password: #',
        '#是我的密码',
      ],
      code: ['验证码#', '验证码是 #', '收到的验证码是#吗', 'the code is #', 'OTP: #', '# is my verification code'],
      cvv: ['cvv #', 'CVV2：#', '安全码是#', '背面三位数#', 'security code #', 'the cvv is #, thanks'],
    } as const;
    const survivors = times(20_000, () => {
      const kind = pick(random, ['password', 'code', 'cvv'] as const);
      const secret = digits(random, kind === 'cvv' ? 3 : 6);
      const typed = pick(random, phrases[kind]).replace('#', secret);
      const masked = maskText(typed);
      return masked.text.includes(secret) || masked.erased.join() !== kind ? typed : null;
    });
    expect(survivors.filter((survivor) => survivor !== null)).toEqual([]);
  });
});

describe('any text at all', () => {
  const everything = [CARDS, IDENTITIES, PHONES, EMAILS, SECRETS].flat().map(([typed]) => typed);
  const pieces = [
    '密码',
    '验证码',
    '卡号',
    'card',
    'pin',
    'code',
    'cvv',
    '有效期',
    'exp',
    '身份证',
    '是',
    'is',
    ' ',
    '-',
    '，',
    '\n',
  ]
    .concat([
      '或',
      '我的',
      '123',
      '4567',
      '123456',
      '12/27',
      '[密码已删除]',
      '**** 1234',
      '138****5678',
      '@',
      'a.cn',
      'x',
    ])
    .concat(['😀', '\ud83d', '\u200d', '一二三', '六', '.', '=', '^', '+86', '0', '护照E1234567', '6222021234567894']);
  const anyText = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join('')),
    fc
      .tuple(
        fc.array(fc.constantFrom(...everything, ...CLEAN), { maxLength: 4 }),
        fc.constantFrom('', ' ', '，', '-', '\n'),
      )
      .map(([parts, joint]) => parts.join(joint)),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.stringMatching(/^[\d -]{0,80}$/),
  );

  it('is not changed by masking it again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = maskText(text).text;
        expect(maskText(once)).toEqual({ text: once, erased: [] });
      }),
      { numRuns: 3_000, seed: 7 },
    );
  });

  it('keeps no card with a true check digit, wherever it stands', () => {
    const number = fc
      .tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(...PREFIXES), fc.constantFrom('', ' ', '-'))
      .map(([seed, prefix, joint]) => inFours(card(seeded(seed), prefix, 16), joint));
    const around = fc
      .string({ unit: 'binary', maxLength: 20 })
      .filter((text) => !/[\p{N}\p{Cf}\p{M}]/u.test(text.normalize('NFKC')));
    fc.assert(
      fc.property(around, number, around, (before, typed, after) => {
        const left =
          maskText(`${before}，${typed}，${after}`)
            .text.replace(/[ -]/g, '')
            .match(/\d{13,19}/g) ?? [];
        expect(left.filter(isLuhn)).toEqual([]);
      }),
      { numRuns: 3_000, seed: 8 },
    );
  });

  it('stays well-formed and of a sensible length', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const masked = maskText(text).text;
        expect(masked.length).toBeLessThanOrEqual(text.length * 4 + 20);
        if (!LONE_SURROGATE.test(text)) expect(LONE_SURROGATE.test(masked)).toBe(false);
      }),
      { numRuns: 3_000, seed: 9 },
    );
  });

  it('is returned as it is when it has no digit, no @ and no word for a secret', () => {
    const harmless = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .filter(
        (text) =>
          !/[\p{N}@零〇一幺二三四五六七八九壹贰叁肆伍陆柒捌玖]|密码|口令|pass|pwd/iu.test(text.normalize('NFKC')),
      );
    fc.assert(
      fc.property(harmless, (text) => {
        expect(maskText(text)).toEqual({ text, erased: [] });
      }),
      { numRuns: 3_000, seed: 10 },
    );
  });

  it('takes a time that grows with its length only, and under 5 ms for 4,000 hostile characters', () => {
    const hostile = [
      '1',
      '1 ',
      '4 ',
      '62 ',
      '6222 0212 3456 7895 ',
      '密码123456',
      'code i got from the sms ',
      '@',
      'a.',
      'a@b.c',
    ]
      .concat([
        '六二',
        '(',
        'exp 12',
        '1**',
        '😀',
        '4111111111111111^a',
        '+1-',
        '1-3-',
        'card 1234567890123456 ',
        '护照 a1234567 ',
      ])
      .concat(['is a1b2 password ', '[密码已删除]']);
    const slow = hostile.map((piece) => ({ piece, ms: bestTime(piece.repeat(Math.ceil(4_000 / piece.length)), 20) }));
    expect(slow.filter(({ ms }) => ms >= 5)).toEqual([]);
    const growths = hostile.map((piece) => {
      const [short, long] = [4_000, 32_000].map((length) =>
        bestTime(piece.repeat(Math.ceil(length / piece.length)), 3),
      );
      return { piece, growth: (long ?? 0) / Math.max(0.2, short ?? 0) };
    });
    // Eight times the text: a reading of each part against each other would take 64 times as long.
    expect(growths.filter(({ growth }) => growth > 32)).toEqual([]);
  });

  it('takes at most 20 µs for an ordinary sentence', () => {
    for (let round = 0; round < 20; round++) CLEAN.forEach(maskText);
    const each = CLEAN.map((sentence) => bestTime(sentence) * 1_000).sort((one, other) => one - other);
    expect(each[Math.floor(each.length / 2)]).toBeLessThanOrEqual(20);
  });
});

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The best of some runs, because other work on the machine only ever adds. */
function bestTime(text: string, count = 8): number {
  const runs = times(count, () => {
    const start = performance.now();
    maskText(text);
    return performance.now() - start;
  });
  return Math.min(...runs);
}

describe('an activity', () => {
  it('is masked in every string, number and key, however deep', () => {
    const activity = {
      type: 'message',
      text: '我的卡是6222021234567894',
      attachments: [{ name: '身份证11010519491231002X.jpg', contentType: 'image/jpeg' }],
      value: { answers: ['13812345678', { note: 'cvv 123' }], paid: 4111111111111111, ok: true, none: null, count: 3 },
      channelData: { 'card 4111111111111111': 'zhang@163.com' },
    };
    expect(maskJson(activity)).toEqual({
      value: {
        type: 'message',
        text: '我的卡是**** 7894',
        attachments: [{ name: '身份证110*************2X.jpg', contentType: 'image/jpeg' }],
        value: {
          answers: ['138****5678', { note: 'cvv [安全码已删除]' }],
          paid: '**** 1111',
          ok: true,
          none: null,
          count: 3,
        },
        channelData: { 'card **** 1111': 'z***@163.com' },
      },
      erased: ['cvv'],
    });
  });

  it('is read together with the names of its fields', () => {
    const form = {
      cardNumber: '4111111111111112',
      cvv: 123,
      password: 'two words',
      smsCode: '483920',
      expiry: '12/27',
      pin_code: '1234',
    };
    expect(maskJson({ value: form })).toEqual({
      value: {
        value: {
          cardNumber: '**** 1112',
          cvv: '[安全码已删除]',
          password: '[密码已删除]',
          smsCode: '[验证码已删除]',
          expiry: '[有效期已删除]',
          pin_code: '[密码已删除]',
        },
      },
      erased: ['cvv', 'password', 'code', 'expiry'],
    });
    const harmless = {
      statusCode: 5023,
      errorCode: '5023',
      code: 'completedSuccessfully',
      password: '',
      expectReplies: '12',
      card: 'hero',
    };
    expect(maskJson(harmless)).toEqual({ value: harmless, erased: [] });
  });

  it('keeps the fields it is told to keep, and only there', () => {
    const id = '4111111111111111';
    const activity = {
      id,
      from: { id },
      channelData: { idempotencyKey: id, other: id, 'a.b': id },
      attachments: [{ id }, { id, name: id }],
      'channelData.idempotencyKey': id,
    };
    const { value } = maskJson(activity, ['id', 'from.id', 'channelData.idempotencyKey', 'attachments.*.id']);
    expect(value).toEqual({
      id,
      from: { id },
      channelData: { idempotencyKey: id, other: '**** 1111', 'a.b': '**** 1111' },
      attachments: [{ id }, { id, name: '**** 1111' }],
      'channelData.idempotencyKey': '**** 1111',
    });
  });

  it('keeps its shape when two names become alike, and when a name is __proto__', () => {
    const value = JSON.parse('{"4111111111111111":1,"4222222222221111":2,"__proto__":{"text":"13812345678"}}');
    const masked = maskJson({ ...value, '4012888888881111': 3 }).value;
    expect(
      Object.keys(maskJson(JSON.parse('{"6222021234567894":1,"621483012345677894":2}')).value as object),
    ).toHaveLength(2);
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
    expect(JSON.stringify(maskJson(value).value)).toContain('"__proto__":{"text":"138****5678"}');
  });

  it('ends where it is nested deeper than any real one, and passes nothing unmasked', () => {
    let deep: unknown = '6222021234567894';
    for (let level = 0; level < 1_000; level++) deep = [deep];
    expect(JSON.stringify(maskJson(deep).value)).not.toContain('6222021234567894');
    const round: Record<string, unknown> = { text: '13812345678' };
    round.self = round;
    expect(maskJson(round).value).toEqual({ text: '138****5678', self: null });
  });

  it('does not change when it is masked again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const once = maskJson(value).value;
        expect(maskJson(once)).toEqual({ value: once, erased: [] });
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it('leaves the one it was given as it was', () => {
    const activity = Object.freeze({ text: '密码123456', list: Object.freeze(['13812345678']) });
    maskJson(activity);
    expect(activity).toEqual({ text: '密码123456', list: ['13812345678'] });
  });
});

describe('a secret sent in pieces', () => {
  it('masks the part that completes a card', () => {
    expect(maskSplit(['6222 0212', '3456'], '7894')).toEqual({ text: '****', erased: [], completes: true });
    expect(maskSplit(['卡号6222021234567', '等一下'], '894 对吗')).toEqual({
      text: '**** 对吗',
      erased: [],
      completes: true,
    });
    expect(maskSplit(['My card is 4111-1111', '1111'], '1111, ok?').text).toBe('****, ok?');
    expect(maskSplit(['六二二二零二一二'], '三四五六七八九四').text).toBe('****');
  });

  it('masks the part that completes an identity number', () => {
    expect(maskSplit(['110105', '19491231'], '002X')).toEqual({ text: '****', erased: [], completes: true });
  });

  it('masks a number or secret that was announced in the message before', () => {
    expect(maskSplit(['我的密码是'], '123456')).toEqual({
      text: '[密码已删除]',
      erased: ['password'],
      completes: true,
    });
    expect(maskSplit(['验证码'], '483920').erased).toEqual(['code']);
    expect(maskSplit(['my cvv is', 'wait'], '123').text).toBe('[安全码已删除]');
    expect(maskSplit(['我的卡号是'], '4111111111111112')).toEqual({ text: '**** 1112', erased: [], completes: true });
  });

  it('looks back over three messages and no further', () => {
    expect(maskSplit(['6222', '0212', '3456'], '7894').completes).toBe(true);
    expect(maskSplit(['6222', '02', '12', '3456'], '7894').completes).toBe(false);
  });

  it('masks a whole number as ever, and says that the former messages had no part in it', () => {
    expect(maskSplit(['你好', '**** 6688'], '6222021234567894')).toEqual({
      text: '**** 7894',
      erased: [],
      completes: false,
    });
    expect(maskSplit([], '密码123456')).toEqual({ text: '密码[密码已删除]', erased: ['password'], completes: false });
  });

  it('leaves ordinary answers alone', () => {
    const chats = [
      [['转账失败', '50000元'], '2026-11-23'],
      [['1', '2', '3'], '4'],
      [['收不到验证码'], '13:30开始的'],
      [['密码忘了'], '5000元能取吗'],
      [['尾号1234', '5678'], '3000'],
      [['2026', '11'], '23'],
      [['我的卡丢了'], '昨天10点'],
    ] as const;
    for (const [previous, text] of chats)
      expect(maskSplit(previous, text)).toEqual({ text, erased: [], completes: false });
  });

  it('never splits a pair of surrogates', () => {
    expect(maskSplit(['62220212😀', '6222 0212 3456'], '7894😀').text).toBe('****😀');
  });
});
