/** The state of the customer's page around the conversation: language, size of text, and what it is asking or telling. */

import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Keep } from '../shared/keep.ts';
import { firstLanguage, type Language, localeOf, otherLanguage } from '../shared/language.ts';
import * as en from '../shared/strings/en.ts';
import * as zh from '../shared/strings/zh.ts';
import type { Host } from './host.ts';
import type { ChatSession } from './session.ts';

export type Words = typeof zh.chat;

/** What the customer is asked: to confirm, or whom to sign in as. */
export type Question = 'end' | 'new' | 'forget' | 'signIn';

const LANGUAGE = 'lobby.language';
const LARGE = 'lobby.large';
const words: Readonly<Record<Language, Words>> = { zh: zh.chat, en: en.chat };

export interface LookTools {
  readonly keep: Keep;
  readonly askedLanguage: string | null;
  readonly preferred: readonly string[];
}

/** How the customer wants the page: kept on the device. */
export class Look {
  readonly language: Signal<Language>;
  readonly large: Signal<boolean>;
  readonly words: ReadonlySignal<Words>;
  readonly locale: ReadonlySignal<string>;
  readonly #keep: Keep;

  constructor({ keep, askedLanguage, preferred }: LookTools) {
    this.#keep = keep;
    this.language = signal(firstLanguage(keep.get(LANGUAGE), askedLanguage, preferred));
    this.large = signal(keep.get(LARGE) === 'yes');
    this.words = computed(() => words[this.language.value]);
    this.locale = computed(() => localeOf[this.language.value]);
  }

  switchLanguage(): Language {
    this.language.value = otherLanguage(this.language.value);
    this.#keep.set(LANGUAGE, this.language.value);
    return this.language.value;
  }

  switchSize(): void {
    this.large.value = !this.large.value;
    this.#keep.set(LARGE, this.large.value ? 'yes' : 'no');
  }
}

/** Everything the page's parts need: each takes it as its one property. */
export interface ChatPage {
  readonly look: Look;
  readonly session: ChatSession;
  readonly host: Host;
  /** The page is in front of the customer's eyes. */
  readonly visible: ReadonlySignal<boolean>;
  readonly asking: Signal<Question | undefined>;
  /** A short notice that needs no answer. */
  readonly told: Signal<string | undefined>;
  readonly now: () => number;
}
