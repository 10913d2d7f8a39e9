/** The customer's page from top to bottom. */

import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Banner, Told } from './banner.tsx';
import { Confirm } from './confirm.tsx';
import { Dock } from './dock.tsx';
import { Header } from './header.tsx';
import { Log } from './log.tsx';
import type { ChatPage } from './page.ts';

export function App({ page }: { readonly page: ChatPage }): JSX.Element {
  const { look, session, host } = page;
  useSignalEffect(() => {
    const bank = session.settings.value?.bank[look.language.value];
    document.title = [look.words.value.title, bank].filter(Boolean).join(' · ');
  });
  useEffect(() => {
    // What closes by Escape stops the event; what is left closes the window on the bank's page.
    const closeWindow = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented && !event.isComposing) host.close();
    };
    document.addEventListener('keydown', closeWindow);
    return () => document.removeEventListener('keydown', closeWindow);
  }, []);
  return (
    <div class="chat">
      <Header page={page} />
      <Banner page={page} />
      <Log page={page} />
      <Dock page={page} />
      <Told page={page} />
      <Confirm page={page} />
    </div>
  );
}
