import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCommand } from '../../knowledge/commands.ts';

const [, ...rows] = readFileSync(new URL('./person-command.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const sentences = rows.map((row) => {
  const [expected, lang, text] = row.split('\t') as [string, string, string];
  return { expected, lang, text };
});
const meantFor = (expected: string, lang: string) =>
  sentences
    .filter((sentence) => sentence.expected === expected && sentence.lang === lang)
    .map((sentence) => sentence.text);

describe('the wish for a person', () => {
  test('has a fixed set of at least 100 sentences in each language', () => {
    expect(sentences.filter((sentence) => sentence.lang === 'zh').length).toBeGreaterThanOrEqual(100);
    expect(sentences.filter((sentence) => sentence.lang === 'en').length).toBeGreaterThanOrEqual(100);
  });

  test.each(meantFor('human', 'zh'))('is heard in: %s', (text) => {
    expect(readCommand(text)).toEqual({ kind: 'person' });
  });

  test.each(meantFor('human', 'en'))('is heard in: %s', (text) => {
    expect(readCommand(text)).toEqual({ kind: 'person' });
  });

  test.each(meantFor('not_human', 'zh'))('is not heard in: %s', (text) => {
    expect(readCommand(text)?.kind).not.toBe('person');
  });

  test.each(meantFor('not_human', 'en'))('is not heard in: %s', (text) => {
    expect(readCommand(text)?.kind).not.toBe('person');
  });

  test('is heard in full-width letters, capitals and with emoji around it', () => {
    for (const text of ['ＨＵＭＡＮ', '🙏转人工🙏', '  转人工  ', '【转人工】', '"agent"'])
      expect(readCommand(text), text).toEqual({ kind: 'person' });
  });

  test('is read quickly from a very long message', () => {
    const started = performance.now();
    for (const long of [
      '转'.repeat(20_000),
      'do not '.repeat(4_000),
      'talk to a '.repeat(3_000),
      '请'.repeat(20_000),
      'please '.repeat(4_000),
    ])
      readCommand(long);
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});

describe('the other commands', () => {
  test.each([
    ['重新开始', 'start_over'],
    ['从头开始吧', 'start_over'],
    ['重來', 'start_over'],
    ['start over', 'start_over'],
    ['Start over, please', 'start_over'],
    ['main menu', 'start_over'],
    ['帮助', 'help'],
    ['幫助', 'help'],
    ['你能做什么?', 'help'],
    ['help', 'help'],
    ['What can you do?', 'help'],
    ['取消', 'cancel'],
    ['算了', 'cancel'],
    ['算了吧,谢谢', 'cancel'],
    ['不用了', 'cancel'],
    ['cancel', 'cancel'],
    ['Never mind', 'cancel'],
    ['再见', 'end'],
    ['再見', 'end'],
    ['谢谢再见', 'end'],
    ['结束对话', 'end'],
    ['bye', 'end'],
    ["that's all, thanks", 'end'],
    ['end chat', 'end'],
  ])('%s is %s', (text, kind) => {
    expect(readCommand(text)).toEqual({ kind });
  });

  test.each([
    ['English', 'en'],
    ['in English please', 'en'],
    ['换成英文', 'en'],
    ['你会说英语吗', 'en'],
    ['中文', 'zh'],
    ['说中文吧', 'zh'],
    ['請說中文', 'zh'],
    ['Chinese', 'zh'],
    ['can you speak Chinese?', 'zh'],
  ])('%s chooses %s', (text, language) => {
    expect(readCommand(text)).toEqual({ kind: 'language', language });
  });

  test.each([
    '英文流水怎么开',
    'I need a statement in English',
    '取消短信提醒',
    'cancel my card',
    '帮助老人开手机银行',
    'help me block my card',
    '结束定期要多久',
    '重新开卡要多少钱',
    '你好',
    'hello',
    '',
    '   ',
    '👍',
    '0',
    '谢谢',
    'yes',
    '不对',
    'no',
    'no thanks',
    'end of month statement',
  ])('%j is none', (text) => {
    expect(readCommand(text)).toBeNull();
  });
});
