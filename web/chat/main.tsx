/** The customer's page: finds out where it is, opens the conversation and draws it. */

import { computed, effect, signal } from '@preact/signals';
import { render } from 'preact';
import { keepOnDevice } from '../shared/keep.ts';
import { App } from './app.tsx';
import type { LineSocket } from './direct-line.ts';
import { hostOf } from './host.ts';
import { type ChatPage, Look } from './page.ts';
import { ChatSession } from './session.ts';

const address = new URLSearchParams(location.search);
const keep = keepOnDevice(() => localStorage);
const look = new Look({ keep, askedLanguage: address.get('lang'), preferred: navigator.languages });
const host = hostOf(window, address);

const session = new ChatSession(
  {
    keep,
    http: (url, init) => fetch(url, init),
    openSocket: (url) => new WebSocket(url) as unknown as LineSocket,
    timer: (ms, work) => {
      const id = setTimeout(work, ms);
      return () => clearTimeout(id);
    },
    random: Math.random,
    now: Date.now,
    newKey,
  },
  look.language,
);

const tabVisible = signal(document.visibilityState === 'visible');
const page: ChatPage = {
  look,
  session,
  host,
  visible: computed(() => tabVisible.value && host.shown.value),
  asking: signal(undefined),
  told: signal(undefined),
  now: Date.now,
};

effect(() => {
  document.documentElement.lang = look.locale.value;
  document.documentElement.classList.toggle('large', look.large.value);
  document.documentElement.classList.toggle('embedded', host.embedded);
});

document.addEventListener('visibilitychange', () => {
  tabVisible.value = document.visibilityState === 'visible';
  if (tabVisible.value) session.nudge();
});
for (const name of ['online', 'offline', 'pageshow']) addEventListener(name, () => session.nudge());
addEventListener('beforeunload', (event) => {
  if (session.hasUploads.value) event.preventDefault();
});

/** `crypto.randomUUID` exists on secure origins only; a bank's test server may have none. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

render(<App page={page} />, document.getElementById('app') as HTMLElement);
void session.loadSettings();
session.begin();
