/** The start page: one door for each of the people Lobby serves. A door that does not open yet is not a link, and says so. */

import { effect, type Signal, signal } from '@preact/signals';
import { type JSX, render } from 'preact';
import type { ChatSettings } from '../contract.ts';
import { Mark } from '../shared/icons.tsx';
import { keepOnDevice } from '../shared/keep.ts';
import { firstLanguage, type Language, localeOf, otherLanguage } from '../shared/language.ts';
import * as en from '../shared/strings/en.ts';
import * as zh from '../shared/strings/zh.ts';

const LANGUAGE = 'lobby.language';
const words: Readonly<Record<Language, typeof zh.start>> = { zh: zh.start, en: en.start };
const keep = keepOnDevice(() => localStorage);
const asked = new URLSearchParams(location.search).get('lang');
const language: Signal<Language> = signal(firstLanguage(keep.get(LANGUAGE), asked, navigator.languages));
const settings = signal<ChatSettings | undefined>(undefined);

function StartPage(): JSX.Element {
  const said = words[language.value];
  return (
    <main class="start">
      <header class="start-head">
        <Mark />
        <h1>{said.title}</h1>
        <button type="button" class="language" lang={otherLanguage(language.value)} onClick={switchLanguage}>
          {said.language}
        </button>
      </header>
      <p class="lead">{said.lead}</p>
      <p class="about">{said.about}</p>
      <DemoNotice />
      <nav class="doors" aria-label={said.doors}>
        <a class="door" href={`/chat?lang=${language.value}`}>
          <h2>{said.customer}</h2>
          <p>{said.customerText}</p>
          <p class="door-open">{said.customerOpen}</p>
        </a>
        <ClosedDoor name={said.staff} text={said.staffText} coming={said.coming} />
        <ClosedDoor name={said.leads} text={said.leadsText} coming={said.coming} />
      </nav>
    </main>
  );
}

function ClosedDoor({
  name,
  text,
  coming,
}: {
  readonly name: string;
  readonly text: string;
  readonly coming: string;
}): JSX.Element {
  return (
    <div class="door door-closed">
      <h2>{name}</h2>
      <p>{text}</p>
      <p class="door-coming">{coming}</p>
    </div>
  );
}

function DemoNotice(): JSX.Element | null {
  const said = words[language.value];
  const bank = settings.value?.bank[language.value];
  if (settings.value?.mode !== 'demo' || bank === undefined) return null;
  return (
    <p class="demo">
      <span class="tag">{said.demo}</span> {said.demoText(bank)}
    </p>
  );
}

function switchLanguage(): void {
  language.value = otherLanguage(language.value);
  keep.set(LANGUAGE, language.value);
}

/** Without the settings the page says everything but the name of the bank. */
async function loadSettings(): Promise<void> {
  try {
    const reply = await fetch('/api/chat/settings');
    if (reply.ok) settings.value = (await reply.json()) as ChatSettings;
  } catch {
    settings.value = undefined;
  }
}

effect(() => {
  document.documentElement.lang = localeOf[language.value];
  document.title = words[language.value].title;
});
render(<StartPage />, document.getElementById('app') as HTMLElement);
void loadSettings();
