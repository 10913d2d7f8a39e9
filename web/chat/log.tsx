/** The conversation on screen, from the first word to the answers offered now. */

import { effect } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { DownIcon } from '../shared/icons.tsx';
import type { Suggestion } from './activity.ts';
import { focusOnward } from './focus.ts';
import { Message, nameOf } from './message.tsx';
import type { ChatPage } from './page.ts';
import { Reading } from './reading.ts';
import { dayKey, dayOf } from './times.ts';
import type { Entry } from './transcript.ts';

/** Said within this time of each other, bubbles stand together. */
const TOGETHER_MS = 180_000;

interface LogProps {
  readonly page: ChatPage;
  readonly reading: Reading;
}

export function Log({ page }: { readonly page: ChatPage }): JSX.Element {
  const { session, look } = page;
  const words = look.words.value;
  const phase = session.phase.value;
  const reading = useMemo(() => new Reading(), []);
  const box = useRef<HTMLDivElement>(null);
  useReading(page, reading, box);
  return (
    <div class="log-frame">
      <div
        class="log"
        id="log"
        ref={box}
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
        tabIndex={0}
        aria-label={words.log}
        aria-live={session.announces.value ? 'polite' : 'off'}
        onScroll={() => lookAround(page, reading)}
      >
        <div class="log-lines">
          {session.afterLoss.value && <p class="line">{words.lost}</p>}
          {phase === 'forgotten' && <p class="line">{`${words.forgotten} ${words.forgottenHint}`}</p>}
          <Rows page={page} reading={reading} />
          {session.typing.value && <Typing page={page} />}
          {phase === 'ended' && <p class="line">{`${words.ended} ${words.endedHint}`}</p>}
          <Suggestions page={page} />
        </div>
      </div>
      <Jump page={page} reading={reading} />
    </div>
  );
}

function useReading(page: ChatPage, reading: Reading, box: RefObject<HTMLDivElement | null>): void {
  const { session, visible, host } = page;
  useEffect(() => {
    reading.watch(box.current);
    const stopExpecting = effect(() => reading.expect(session.entries.value, visible.peek()));
    const stopTelling = effect(() => host.tellUnread(reading.unread.value));
    const stopWatching = effect(() => void (visible.value && lookAround(page, reading)));
    const observer = new ResizeObserver(() => reading.keepEnd());
    for (const element of [box.current, box.current?.firstElementChild]) if (element) observer.observe(element);
    return () => {
      stopExpecting();
      stopTelling();
      stopWatching();
      observer.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    reading.follow(!session.announces.peek());
    lookAround(page, reading);
  }, [session.entries.value]);
}

/** What is before the customer's eyes counts as read. */
function lookAround({ session, visible }: ChatPage, reading: Reading): void {
  if (!visible.peek()) return;
  reading.look();
  if (reading.atEnd.peek()) reading.unread.value = 0;
  session.seen(reading.lastSeen());
}

function Rows({ page, reading }: LogProps): JSX.Element {
  const entries = page.session.entries.value;
  return (
    <>
      {entries.map((entry, index) => (
        <Row
          key={entry.key}
          page={page}
          reading={reading}
          entry={entry}
          before={entries[index - 1]}
          after={entries[index + 1]}
        />
      ))}
    </>
  );
}

interface RowProps extends LogProps {
  readonly entry: Entry;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

function Row({ page, reading, entry, before, after }: RowProps): JSX.Element {
  const { look } = page;
  const words = look.words.value;
  const newDay = !before || dayKey(before.at) !== dayKey(entry.at);
  return (
    <>
      {newDay && entry.at > 0 && <p class="line day">{dayOf(entry.at, page.now(), look.language.value, words)}</p>}
      {reading.newFrom.value === entry.key && <p class="line new">{words.newMessages}</p>}
      <Message page={page} entry={entry} first={!together(before, entry)} last={!together(entry, after)} />
    </>
  );
}

function together(one: Entry | undefined, next: Entry | undefined): boolean {
  return one !== undefined && next !== undefined && one.speaker === next.speaker && next.at - one.at < TOGETHER_MS;
}

function Typing({ page }: { readonly page: ChatPage }): JSX.Element {
  const words = page.look.words.value;
  return (
    <div class="message from-bank typing">
      <p class="who">{nameOf('bot', words)}</p>
      <p class="bubble">
        <span class="aside">{words.typing}</span>
        <span class="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      </p>
    </div>
  );
}

function Suggestions({ page }: { readonly page: ChatPage }): JSX.Element | null {
  const offered = page.session.suggestions.value;
  if (offered.length === 0) return null;
  return (
    <fieldset class="chips">
      <legend class="aside">{page.look.words.value.suggestions}</legend>
      {offered.map((suggestion) => (
        <Chip key={suggestion.title} page={page} suggestion={suggestion} />
      ))}
    </fieldset>
  );
}

function Chip({ page, suggestion }: { readonly page: ChatPage; readonly suggestion: Suggestion }): JSX.Element {
  if (suggestion.kind === 'open') {
    return (
      <a class="chip" href={suggestion.url} target="_blank" rel="noopener noreferrer nofollow">
        {suggestion.title}
      </a>
    );
  }
  return (
    <button
      type="button"
      class="chip"
      onClick={() => {
        page.session.choose(suggestion);
        focusOnward();
      }}
    >
      {suggestion.title}
    </button>
  );
}

/** The way back to the newest, with how much there is to read. */
function Jump({ page, reading }: LogProps): JSX.Element | null {
  if (reading.atEnd.value) return null;
  const words = page.look.words.value;
  const unread = reading.unread.value;
  return (
    <button
      type="button"
      class="jump"
      onClick={() => {
        reading.toEnd();
        lookAround(page, reading);
        focusOnward();
      }}
    >
      <DownIcon />
      <span class={unread > 0 ? undefined : 'aside'}>{unread > 0 ? words.jumpUnread(unread) : words.jump}</span>
    </button>
  );
}
