/** Draws an answer's Markdown. Text becomes text nodes and nothing else, so no answer can bring markup of its own. */

import type { ComponentChildren, JSX } from 'preact';
import { type Align, type Block, type Inline, readMarkdown } from './markdown.ts';
import type { Words } from './page.ts';

/** A cell of at most so many characters is not broken. */
const SHORT_CELL = 14;

export function MarkdownView({ text, words }: { readonly text: string; readonly words: Words }): JSX.Element {
  return <>{readMarkdown(text).map((block) => drawBlock(block, words))}</>;
}

function drawBlock(block: Block, words: Words): JSX.Element {
  switch (block.is) {
    case 'paragraph':
      return <p>{drawInlines(block.of, words)}</p>;
    case 'heading':
      return (
        <p class="heading">
          <strong>{drawInlines(block.of, words)}</strong>
        </p>
      );
    case 'rule':
      return <hr />;
    case 'list':
      return drawList(block, words);
    case 'table':
      return drawTable(block, words);
  }
}

function drawList({ ordered, start, items }: Extract<Block, { is: 'list' }>, words: Words): JSX.Element {
  const lines = items.map((item, index) => <li key={index}>{drawInlines(item, words)}</li>);
  return ordered ? <ol start={start}>{lines}</ol> : <ul>{lines}</ul>;
}

/** Wide tables scroll by themselves, by keyboard too; the page never does. */
function drawTable({ align, head, rows }: Extract<Block, { is: 'table' }>, words: Words): JSX.Element {
  const className = (column: number): `to-${Align}` => `to-${align[column] ?? 'left'}`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="table" tabIndex={0} aria-label={words.table}>
      <table>
        <thead>
          <tr>
            {head.map((cell, column) => (
              <th key={column} scope="col" class={className(column)}>
                {drawInlines(cell, words)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} class={`${className(column)} ${lengthOf(cell) <= SHORT_CELL ? 'short' : ''}`}>
                  {drawInlines(cell, words)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function lengthOf(inlines: readonly Inline[]): number {
  return inlines.reduce((sum, inline) => sum + ('of' in inline ? lengthOf(inline.of) : textOf(inline).length), 0);
}

function textOf(inline: Inline): string {
  return inline.is === 'text' ? inline.text : ' ';
}

function drawInlines(inlines: readonly Inline[], words: Words): ComponentChildren {
  return inlines.map((inline) => drawInline(inline, words));
}

function drawInline(inline: Inline, words: Words): ComponentChildren {
  switch (inline.is) {
    case 'text':
      return inline.text;
    case 'break':
      return <br />;
    case 'strong':
      return <strong>{drawInlines(inline.of, words)}</strong>;
    case 'link':
      return drawLink(inline, words);
  }
}

function drawLink({ of, url }: Extract<Inline, { is: 'link' }>, words: Words): JSX.Element {
  if (!/^https?:/i.test(url)) return <a href={url}>{drawInlines(of, words)}</a>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {drawInlines(of, words)}
      <span class="aside">{words.opensNewPage}</span>
    </a>
  );
}
