/** The head of the page: whose bank this is, in which language, and that a machine is answering. */

import type { JSX } from 'preact';
import { CloseIcon, Mark } from '../shared/icons.tsx';
import { otherLanguage } from '../shared/language.ts';
import { Menu } from './menu.tsx';
import type { ChatPage, Words } from './page.ts';

export function Header({ page }: { readonly page: ChatPage }): JSX.Element {
  const { look, session, host } = page;
  const words = look.words.value;
  const settings = session.settings.value;
  const bank = settings?.bank[look.language.value];
  return (
    <header class="head">
      <div class="head-row">
        <Mark />
        <div class="head-name">
          <h1>{bank ?? words.title}</h1>
          <p class="head-sub">
            {bank && <What words={words} signedIn={session.signedIn.value} />}
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

/** What the page is; once the customer has signed in, whose. */
function What({ words, signedIn }: { readonly words: Words; readonly signedIn: string | undefined }): JSX.Element {
  if (signedIn === undefined) return <span class="head-what">{words.title}</span>;
  return (
    <span class="head-what">
      <span class="aside">{words.signedIn}</span>
      {signedIn}
    </span>
  );
}

function otherTag({ look }: ChatPage): string {
  return otherLanguage(look.language.value);
}

function switchLanguage({ look, session }: ChatPage): void {
  session.tellLanguage(look.switchLanguage());
}
