/**
 * Puts the bank's chat on any page of the bank, with one line:
 *
 *     <script src="https://chat.example-bank.com/embed.js" async data-lang="zh" data-position="right"></script>
 *
 * A button opens the chat in a frame. The page and the frame exchange four words and nothing of what is said.
 */

import type { Language } from '../shared/language.ts';
import * as en from '../shared/strings/en.ts';
import * as zh from '../shared/strings/zh.ts';
import css from './embed.css?inline';

interface Placement {
  /** Where the chat is served. */
  readonly origin: string;
  readonly language: Language;
  readonly side: 'left' | 'right';
}

const OPEN = 'lobby.embed.open';
const CHAT_PATH =
  'M5 5.5h14A1.5 1.5 0 0 1 20.5 7v8.5a1.5 1.5 0 0 1-1.5 1.5h-6l-4.5 3.5V17H5a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 5 5.5Z';
const CLOSE_PATH = 'm6 6 12 12M18 6 6 18';

/** The window on the bank's page: a button, and the frame it opens. */
class ChatWindow {
  readonly #placement: Placement;
  readonly #words: typeof zh.embed;
  readonly #panel = element('div', 'panel');
  readonly #button = element('button', 'launcher');
  readonly #badge = element('span', 'badge');
  #frame: HTMLIFrameElement | undefined;
  #ready = false;
  #open = false;
  #unread = 0;

  constructor(placement: Placement) {
    this.#placement = placement;
    this.#words = placement.language === 'zh' ? zh.embed : en.embed;
  }

  putOn(page: Document): void {
    const holder = page.createElement('div');
    holder.lang = this.#placement.language === 'zh' ? 'zh-CN' : 'en';
    const root = holder.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    for (const part of [this.#panel, this.#button]) part.classList.add(this.#placement.side);
    this.#panel.hidden = true;
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => (this.#open ? this.#close() : this.#show()));
    root.append(this.#panel, this.#button);
    page.body.append(holder);
    addEventListener('message', (event) => this.#hear(event));
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#close();
    });
    this.#draw();
    if (remembered() === 'yes') this.#show(false);
  }

  #show(takesFocus = true): void {
    this.#open = true;
    this.#unread = 0;
    remember('yes');
    this.#frame ??= this.#load();
    this.#draw();
    this.#tell();
    if (takesFocus) this.#frame.focus();
  }

  #close(): void {
    this.#open = false;
    remember('no');
    this.#draw();
    this.#tell();
    this.#button.focus();
  }

  /** The chat is loaded when it is first opened: it costs the bank's page nothing before. */
  #load(): HTMLIFrameElement {
    const { origin, language } = this.#placement;
    const frame = element('iframe', 'frame');
    frame.title = this.#words.frame;
    frame.src = `${origin}/chat?${new URLSearchParams({ embed: '1', lang: language, host: location.origin })}`;
    this.#panel.append(frame);
    return frame;
  }

  /** Listens to the frame it made, at the address it gave it, and to nobody else. */
  #hear(event: MessageEvent): void {
    if (event.origin !== this.#placement.origin || event.source !== this.#frame?.contentWindow) return;
    switch (event.data?.lobby) {
      case 'ready':
        this.#ready = true;
        this.#tell();
        break;
      case 'close':
        this.#close();
        break;
      case 'unread':
        this.#unread = this.#open ? 0 : Number(event.data.count) || 0;
        this.#draw();
        break;
    }
  }

  /** The frame asks once it can hear. */
  #tell(): void {
    if (!this.#ready) return;
    this.#frame?.contentWindow?.postMessage({ lobby: 'shown', shown: this.#open }, this.#placement.origin);
  }

  #draw(): void {
    this.#panel.hidden = !this.#open;
    this.#button.replaceChildren(drawing(this.#open ? CLOSE_PATH : CHAT_PATH), this.#badge);
    this.#badge.textContent = this.#unread > 0 ? String(this.#unread) : '';
    this.#button.setAttribute('aria-expanded', String(this.#open));
    this.#button.setAttribute('aria-label', this.#label());
  }

  #label(): string {
    if (this.#open) return this.#words.close;
    return this.#unread > 0 ? `${this.#words.open}, ${this.#words.unread(this.#unread)}` : this.#words.open;
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function drawing(path: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

/** For as long as the bank's tab is open; where the browser forbids it, the chat starts closed. */
function remembered(): string | null {
  try {
    return sessionStorage.getItem(OPEN);
  } catch {
    return null;
  }
}

function remember(open: 'yes' | 'no'): void {
  try {
    sessionStorage.setItem(OPEN, open);
  } catch {
    // Not remembered, then.
  }
}

function placementOf(script: HTMLScriptElement): Placement {
  const asked = script.dataset.lang ?? document.documentElement.lang;
  return {
    origin: new URL(script.src).origin,
    language: asked.toLowerCase().startsWith('en') ? 'en' : 'zh',
    side: script.dataset.position === 'left' ? 'left' : 'right',
  };
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  const chat = new ChatWindow(placementOf(script));
  if (document.body) chat.putOn(document);
  else addEventListener('DOMContentLoaded', () => chat.putOn(document));
}
