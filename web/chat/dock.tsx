/** The foot of the page: a person in one step, larger text, and the message field. */

import type { JSX } from 'preact';
import { PersonIcon } from '../shared/icons.tsx';
import { Composer } from './composer.tsx';
import { saveCopy } from './copy.ts';
import { focusOnward } from './focus.ts';
import type { ChatPage } from './page.ts';

export function Dock({ page }: { readonly page: ChatPage }): JSX.Element {
  const { session, look } = page;
  const words = look.words.value;
  return (
    <footer class="dock">
      <div class="quick">
        <button
          type="button"
          class="pill person"
          onClick={() => {
            session.askForPerson(words.person);
            focusOnward();
          }}
        >
          <PersonIcon />
          {words.person}
        </button>
        <button type="button" class="pill" aria-pressed={look.large.value} onClick={() => look.switchSize()}>
          {look.large.value ? words.largeTextOff : words.largeText}
        </button>
      </div>
      {session.phase.value === 'open' ? <Composer page={page} /> : <Over page={page} />}
    </footer>
  );
}

/** After the end: nothing more can be said here, but a new conversation is one step away. */
function Over({ page }: { readonly page: ChatPage }): JSX.Element {
  const { session, look } = page;
  const words = look.words.value;
  return (
    <div class="over">
      <button
        type="button"
        class="solid"
        onClick={() => {
          session.startNew();
          // The field is drawn with the new conversation.
          requestAnimationFrame(focusOnward);
        }}
      >
        {words.startNew}
      </button>
      {session.phase.value === 'ended' && (
        <button type="button" class="plain" onClick={() => void saveCopy(page)}>
          {words.menuCopy}
        </button>
      )}
    </div>
  );
}
