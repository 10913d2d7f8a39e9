/** The head of the page: whose bank this is, in which language, and that a machine is answering. */

import type { JSX } from 'preact';
import { CloseIcon, Mark } from '../shared/icons.tsx';
import { otherLanguage } from '../shared/language.ts';
import { Menu } from './menu.tsx';
import type { ChatPage } from './page.ts';

export function Header({ page }: { readonly page: ChatPage }): JSX.Element {
  const { look, session, host } = page;
  const words = look.words.value;
  const signedIn = session.signedIn.value;
  const settings = session.settings.value;
  const bank = settings?.bank[look.language.value];
  return (
    <header class="head">
      <div class="head-row">
        <Mark />
        <div class="head-name">
          <h1>{bank ?? words.title}</h1>
          <p class="head-sub">
            {bank && <span class="head-what">{signedIn ? words.signedIn(signedIn) : words.title}</span>}
            {settings?.mode === 'demo' && (
              <span class="tag" title={words.demoHint}>
                {words.demo}
              </span>
            )}
          </p>
        </div>
        <button type="button" class="quiet" lang={otherTag(page)} onClick={() => switchLanguage(page)}>
          {words.language}
        </button>
        <Menu page={page} />
        {host.embedded && (
          <button type="button" class="quiet square" aria-label={words.closePanel} onClick={() => host.close()}>
            <CloseIcon />
          </button>
        )}
      </div>
      <p class="notice">{words.aiNotice}</p>
    </header>
  );
}

function otherTag({ look }: ChatPage): string {
  return otherLanguage(look.language.value);
}

function switchLanguage({ look, session }: ChatPage): void {
  session.tellLanguage(look.switchLanguage());
}
