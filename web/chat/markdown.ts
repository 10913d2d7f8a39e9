/** The part of Markdown that the bank's answers use, read into plain data. It has no HTML: what is not understood stays text. */

import { isWebAddress } from './activity.ts';

export type Inline =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'strong'; readonly of: readonly Inline[] }
  | { readonly is: 'link'; readonly of: readonly Inline[]; readonly url: string }
  | { readonly is: 'break' };

export type Align = 'left' | 'right' | 'center';

export type Block =
  | { readonly is: 'paragraph'; readonly of: readonly Inline[] }
  | { readonly is: 'heading'; readonly of: readonly Inline[] }
  | {
      readonly is: 'list';
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly (readonly Inline[])[];
    }
  | {
      readonly is: 'table';
      readonly align: readonly Align[];
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly is: 'rule' };

const BULLET = /^\s{0,8}[-*•]\s+(?=\S)/;
/** "1. x" and "1、x", but never the figure of "1.55 %". */
const NUMBER = /^\s{0,8}(\d{1,2})(?:[.)]\s+|、\s*)(?=\S)/;
const HEADING = /^#{1,6}\s+/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;
/** Stands for a bar that is part of a cell while a row is cut up: a character no text has. */
const ESCAPED_BAR = '\u{10FFFF}';
const TABLE_ROW = /^\s*\|.*\|\s*$/;
const TABLE_DIVIDER = /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/;

export function readMarkdown(text: string): readonly Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) at = readBlock(lines, at, blocks);
  return blocks;
}

/** Reads the block that begins at `at`, and says where the next one does. */
function readBlock(lines: readonly string[], at: number, blocks: Block[]): number {
  const line = lines[at] ?? '';
  if (line.trim() === '') return at + 1;
  if (HEADING.test(line)) {
    blocks.push({ is: 'heading', of: readInline(line.replace(HEADING, '')) });
    return at + 1;
  }
  if (RULE.test(line)) {
    blocks.push({ is: 'rule' });
    return at + 1;
  }
  if (startsTable(lines, at)) return readTable(lines, at, blocks);
  if (BULLET.test(line)) return readList(lines, at, BULLET, blocks);
  if (NUMBER.test(line)) return readList(lines, at, NUMBER, blocks);
  return readParagraph(lines, at, blocks);
}

function startsTable(lines: readonly string[], at: number): boolean {
  return TABLE_ROW.test(lines[at] ?? '') && TABLE_DIVIDER.test(lines[at + 1] ?? '');
}

function readTable(lines: readonly string[], at: number, blocks: Block[]): number {
  const head = cellsOf(lines[at] ?? '');
  const align = cellsOf(lines[at + 1] ?? '').map(alignOf);
  const end = endOf(lines, at + 2, (line) => TABLE_ROW.test(line));
  const rows = lines.slice(at + 2, end).map((line) => head.map((_, column) => readInline(cellsOf(line)[column] ?? '')));
  blocks.push({ is: 'table', align, head: head.map(readInline), rows });
  return end;
}

function cellsOf(line: string): string[] {
  const inner = line.trim().slice(1, -1).replaceAll('\\|', ESCAPED_BAR);
  return inner.split('|').map((cell) => cell.trim().replaceAll(ESCAPED_BAR, '|'));
}

function alignOf(divider: string): Align {
  if (!divider.endsWith(':')) return 'left';
  return divider.startsWith(':') ? 'center' : 'right';
}

/** A line that is indented under an item goes on with it. */
function readList(lines: readonly string[], at: number, mark: RegExp, blocks: Block[]): number {
  const end = endOf(lines, at, (line) => mark.test(line) || /^\s{2,}\S/.test(line));
  const items: string[] = [];
  for (const line of lines.slice(at, end)) {
    if (mark.test(line)) items.push(line.replace(mark, ''));
    else items.push(`${items.pop() ?? ''}\n${line.trim()}`);
  }
  const start = Number(NUMBER.exec(lines[at] ?? '')?.[1] ?? 1);
  blocks.push({ is: 'list', ordered: mark === NUMBER, start, items: items.map(readInline) });
  return end;
}

function readParagraph(lines: readonly string[], at: number, blocks: Block[]): number {
  const isPart = (line: string, index: number): boolean =>
    index === at ||
    !(line.trim() === '' || HEADING.test(line) || BULLET.test(line) || NUMBER.test(line) || startsTable(lines, index));
  const end = endOf(lines, at, isPart);
  blocks.push({ is: 'paragraph', of: readInline(lines.slice(at, end).join('\n')) });
  return end;
}

function endOf(lines: readonly string[], from: number, isPart: (line: string, index: number) => boolean): number {
  let end = from;
  while (end < lines.length && isPart(lines[end] ?? '', end)) end += 1;
  return end;
}

/** In order of preference: an escaped sign, a link, a bare address, bold, a line break. */
const INLINE =
  /\\([\\`*_{}[\]()#+\-.!|~>])|\[([^\][]+)\]\(([^()\s]+)\)|(https?:\/\/[\w\-.~:/?#@!$&'*+,;=%]*[\w\-~/#@&=%])|\*\*(\S(?:[^*]|\*(?!\*))*?)\*\*|(\n)/g;

function readInline(text: string): readonly Inline[] {
  const found: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) found.push({ is: 'text', text: text.slice(at, match.index) });
    found.push(inlineOf(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ is: 'text', text: text.slice(at) });
  return found;
}

function inlineOf([whole, escaped, label, target, bare, strong, newline]: RegExpMatchArray): Inline {
  if (escaped !== undefined) return { is: 'text', text: escaped };
  if (label !== undefined && target !== undefined) return linkOf(label, target, whole);
  if (bare !== undefined) return { is: 'link', of: [{ is: 'text', text: bare }], url: bare };
  if (strong !== undefined) return { is: 'strong', of: readInline(strong) };
  return newline === undefined ? { is: 'text', text: whole } : { is: 'break' };
}

/** Only to pages and telephones; any other address stays what was written. */
function linkOf(label: string, target: string, whole: string): Inline {
  if (!isWebAddress(target) && !/^(?:tel|mailto):/i.test(target)) return { is: 'text', text: whole };
  return { is: 'link', of: [{ is: 'text', text: label }], url: target };
}
