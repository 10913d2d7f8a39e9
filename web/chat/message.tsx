/** One bubble: who says it, what, when, and whether it has reached the bank. */

import type { JSX } from 'preact';
import { AlertIcon, FileIcon } from '../shared/icons.tsx';
import type { SentFile, Speaker } from './activity.ts';
import { MarkdownView } from './markdown-view.tsx';
import type { Failure } from './outbox.ts';
import type { ChatPage, Words } from './page.ts';
import { timeOf } from './times.ts';
import type { Entry, EntryState } from './transcript.ts';

export interface MessageProps {
  readonly page: ChatPage;
  readonly entry: Entry;
  /** The first of several in a row says who, the last says when. */
  readonly first: boolean;
  readonly last: boolean;
}

export function Message({ page, entry, first, last }: MessageProps): JSX.Element {
  const words = page.look.words.value;
  const from = entry.speaker === 'customer' ? 'customer' : 'bank';
  return (
    <div class={`message from-${from}`} data-from={from} data-seq={entry.seq} data-key={entry.key}>
      <p class={first && from === 'bank' ? 'who' : 'aside'}>{nameOf(entry.speaker, words)}</p>
      <div class="bubble">
        <Text entry={entry} words={words} />
        {entry.files.map((file) => (
          <FileLine key={file.name} file={file} words={words} />
        ))}
      </div>
      <Foot page={page} entry={entry} last={last} />
    </div>
  );
}

export function nameOf(speaker: Speaker, words: Words): string {
  switch (speaker) {
    case 'customer':
      return words.you;
    case 'bot':
      return words.assistant;
    case 'staff':
      return words.staff;
  }
}

function Text({ entry, words }: { readonly entry: Entry; readonly words: Words }): JSX.Element | null {
  if (entry.text === '') return null;
  if (entry.speaker === 'customer') return <p class="plain-text">{entry.text}</p>;
  return <MarkdownView text={entry.text} words={words} />;
}

function FileLine({ file, words }: { readonly file: SentFile; readonly words: Words }): JSX.Element {
  const name = file.name || words.file;
  return (
    <p class="file">
      <FileIcon />
      {file.url ? (
        <a href={file.url} download={name}>
          {name}
        </a>
      ) : (
        <span>{name}</span>
      )}
    </p>
  );
}

function Foot({ page, entry, last }: Omit<MessageProps, 'first'>): JSX.Element | null {
  const { look, session } = page;
  const words = look.words.value;
  const { state } = entry;
  if (state?.is === 'failed') {
    return (
      <div class="foot failed" role="alert">
        <span class="why">
          <AlertIcon />
          {failureText(state.why, words)}
        </span>
        <button type="button" class="link" onClick={() => session.retry(entry.key)}>
          {words.retry}
        </button>
        <button type="button" class="link" onClick={() => session.discard(entry.key)}>
          {words.discard}
        </button>
      </div>
    );
  }
  if (!last && !state) return null;
  return (
    <p class="foot">
      {entry.at > 0 && <time dateTime={new Date(entry.at).toISOString()}>{timeOf(entry.at, look.language.value)}</time>}
      {entry.speaker === 'customer' && <span class="state"> {stateText(state, words)}</span>}
    </p>
  );
}

/** What the bank has in its record was sent. */
function stateText(state: Exclude<EntryState, { is: 'failed' }> | undefined, words: Words): string {
  return state ? words[state.is] : words.sent;
}

function failureText(why: Failure, words: Words): string {
  switch (why) {
    case 'network':
      return words.failed;
    case 'too_large':
      return words.failedTooLarge;
    case 'file_type':
      return words.failedFileType;
    case 'refused':
      return words.failedRefused;
  }
}
