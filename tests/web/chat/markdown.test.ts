import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Block, type Inline, readMarkdown } from '../../../web/chat/markdown.ts';

const text = (words: string): Inline => ({ is: 'text', text: words });
const paragraph = (...of: Inline[]): Block => ({ is: 'paragraph', of });

function inlinesOf(block: Block): readonly Inline[] {
  switch (block.is) {
    case 'paragraph':
    case 'heading':
      return block.of;
    case 'list':
      return block.items.flat();
    case 'table':
      return [...block.head.flat(), ...block.rows.flat(2)];
    case 'rule':
      return [];
  }
}

function linksOf(inlines: readonly Inline[]): string[] {
  return inlines.flatMap((inline) => ('url' in inline ? [inline.url] : 'of' in inline ? linksOf(inline.of) : []));
}

describe('readMarkdown', () => {
  test('parts paragraphs at empty lines, and keeps the lines of one', () => {
    expect(readMarkdown('一\n二\n\n三')).toEqual([
      paragraph(text('一'), { is: 'break' }, text('二')),
      paragraph(text('三')),
    ]);
  });

  test('reads bold and links, and a link inside bold', () => {
    expect(readMarkdown('**重要** 见 [公告](https://a.example/b)')).toEqual([
      paragraph({ is: 'strong', of: [text('重要')] }, text(' 见 '), {
        is: 'link',
        of: [text('公告')],
        url: 'https://a.example/b',
      }),
    ]);
    expect(linksOf(inlinesOf(readMarkdown('**[a](tel:95000)**')[0] as Block))).toEqual(['tel:95000']);
  });

  test('makes a bare address a link, without the full stop behind it', () => {
    expect(linksOf(inlinesOf(readMarkdown('See https://a.example/x?y=1. Or not')[0] as Block))).toEqual([
      'https://a.example/x?y=1',
    ]);
    expect(linksOf(inlinesOf(readMarkdown('见https://a.example/x。')[0] as Block))).toEqual(['https://a.example/x']);
  });

  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert`1`)',
    '[x](data:text/html,hi)',
    '[x](//evil.example)',
    '[x](vbscript:x)',
  ])('leaves %s as the text it is', (written) => {
    expect(
      readMarkdown(written)
        .flatMap(inlinesOf)
        .flatMap((inline) => linksOf([inline])),
    ).toEqual([]);
  });

  test('reads lists with dots, dashes and Chinese numbering', () => {
    expect(readMarkdown('- 一\n- 二')).toEqual([
      { is: 'list', ordered: false, start: 1, items: [[text('一')], [text('二')]] },
    ]);
    expect(readMarkdown('3. c\n4. d')).toEqual([
      { is: 'list', ordered: true, start: 3, items: [[text('c')], [text('d')]] },
    ]);
    expect(readMarkdown('1、带身份证\n2、到网点')).toMatchObject([
      { is: 'list', ordered: true, items: [[text('带身份证')], [text('到网点')]] },
    ]);
  });

  test('continues an item on an indented line', () => {
    expect(readMarkdown('- a\n  b')).toMatchObject([{ is: 'list', items: [[text('a'), { is: 'break' }, text('b')]] }]);
  });

  test.each(['1.55 % 自 11 月起', '2026、2027 年', '3.5万元', '-5 度'])('does not take %s for a list', (line) => {
    expect(readMarkdown(line)).toEqual([paragraph(text(line))]);
  });

  test('reads a rate table with its alignment', () => {
    const [table] = readMarkdown('| 存期 | 利率 |\n| :--- | ---: |\n| 一年 | **1.25 %** |\n| 三年 |');
    expect(table).toEqual({
      is: 'table',
      align: ['left', 'right'],
      head: [[text('存期')], [text('利率')]],
      rows: [
        [[text('一年')], [{ is: 'strong', of: [text('1.25 %')] }]],
        [[text('三年')], []],
      ],
    });
  });

  test('keeps an escaped bar inside its cell', () => {
    expect(readMarkdown('| a |\n| --- |\n| x \\| y |')).toMatchObject([{ rows: [[[text('x | y')]]] }]);
  });

  test('takes a table for a paragraph until its divider stands', () => {
    expect(readMarkdown('| a | b |')).toEqual([paragraph(text('| a | b |'))]);
  });

  test('loses no letter of a text, whatever it is made of', () => {
    const letters = (inline: Inline): string =>
      'of' in inline ? inline.of.map(letters).join('') : 'text' in inline ? inline.text : '';
    const written = fc.string({
      unit: fc.constantFrom('a', '中', '*', '|', '[', ']', '(', ')', '\n', ' ', '-', '1', '.', '#', '\\', '<'),
    });
    fc.assert(
      fc.property(written, (source) => {
        const only = (value: string): string => value.replace(/[^a中]/g, '');
        const read = readMarkdown(source).flatMap(inlinesOf).map(letters).join('');
        // A table row longer than its head loses what has no column, and a link shows its words, not its address.
        fc.pre(!source.includes('|') && !/\]\(/.test(source));
        expect(only(read)).toBe(only(source));
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads a very long and very odd text in a moment', () => {
    const begun = performance.now();
    for (const odd of ['*', '[', '**a', '| a ', '- ', '\\', '[a](', 'http://', '  x\n', '1. '])
      readMarkdown(odd.repeat(4_000));
    expect(performance.now() - begun).toBeLessThan(3_000);
  });
});
