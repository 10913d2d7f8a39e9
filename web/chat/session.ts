/** The customer's conversation as the page lives it: what is shown, what is being sent, and everything a customer can do. */

import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { ChatSettings } from '../contract.ts';
import type { Keep } from '../shared/keep.ts';
import { type Language, localeOf } from '../shared/language.ts';
import { type Outgoing, type Received, readActivity, type Suggestion } from './activity.ts';
import { DirectLine, type LineEvents, type LineStatus, type LineTools } from './direct-line.ts';
import { askJson } from './http.ts';
import { type Mine, Outbox } from './outbox.ts';
import { Sender } from './sender.ts';
import { entriesOf, hasEnded, offeredBy, withReceived } from './transcript.ts';

export interface SessionTools extends LineTools {
  readonly keep: Keep;
  readonly now: () => number;
  /** A new unguessable key. */
  readonly newKey: () => string;
}

/** `forgotten`: this device was told to forget, and nothing runs until the customer starts anew. */
export type Phase = 'open' | 'ended' | 'forgotten';

/** The bank's record of this conversation, remembered over reloads. */
interface KeptChat {
  readonly id: string;
  readonly ended: boolean;
}

const VISITOR = 'lobby.visitor';
const CHAT = 'lobby.chat';
const SIGNED_IN = 'lobby.signedIn';
const SEEN_DELAY_MS = 500;
/** After this the history of a resumed conversation is on screen and new messages may be read out. */
const HISTORY_MS = 1_500;
/** A confirmed message that does not come back over the stream by then: the stream is dead. */
const ECHO_LIMIT_MS = 3_000;

export class ChatSession {
  readonly status = signal<LineStatus>('connecting');
  readonly phase = signal<Phase>('open');
  /** The conversation before this one could not be continued. */
  readonly afterLoss = signal(false);
  /** False while an old conversation is being shown again: a screen reader should not read all of it out. */
  readonly announces = signal(false);
  /** The customer's name, once the bank has vouched for them. */
  readonly signedIn = signal<string | undefined>(undefined);
  readonly settings = signal<ChatSettings | undefined>(undefined);

  readonly #received = signal<readonly Received[]>([]);
  readonly #mine = signal<readonly Mine[]>([]);
  readonly entries = computed(() => entriesOf(this.#received.value, this.#mine.value, this.status.value === 'live'));
  readonly suggestions = computed(() =>
    this.phase.value === 'open' ? offeredBy(this.#received.value, this.#mine.value) : [],
  );
  readonly typing = computed(() => this.#isAnswering() || this.#received.value.at(-1)?.kind === 'typing');
  readonly hasUploads = computed(() => this.#mine.value.some(({ file, state }) => file && state.is !== 'sent'));

  readonly #tools: SessionTools;
  readonly #language: ReadonlySignal<Language>;
  readonly #outbox: Outbox;
  #line: DirectLine | undefined;
  #sender: Sender | undefined;
  #userId = '';
  #seen = 0;
  #cancelSeen = (): void => undefined;

  constructor(tools: SessionTools, language: ReadonlySignal<Language>) {
    this.#tools = tools;
    this.#language = language;
    this.#outbox = new Outbox(tools.keep, () => {
      this.#mine.value = this.#outbox.items;
    });
  }

  /** Goes on with the conversation this device knows, or begins one. */
  begin(): void {
    const chat = this.#keptChat();
    this.signedIn.value = this.#tools.keep.get(SIGNED_IN) ?? undefined;
    this.phase.value = chat?.ended ? 'ended' : 'open';
    this.#openLine(chat?.id);
  }

  async loadSettings(): Promise<void> {
    try {
      this.settings.value = (await askJson(this.#tools.http, '/api/chat/settings', { method: 'GET' })) as ChatSettings;
    } catch {
      this.#tools.timer(5_000, () => void this.loadSettings());
    }
  }

  say(text: string): void {
    this.#send({ type: 'message', text });
  }

  /** Asks for a person from wherever the customer is, an ended conversation included. */
  askForPerson(words: string): void {
    if (this.phase.value !== 'open') this.#renew();
    this.say(words);
  }

  choose(suggestion: Exclude<Suggestion, { kind: 'open' }>): void {
    if (suggestion.kind === 'say') this.say(suggestion.text);
    else
      this.#send({
        type: 'message',
        text: suggestion.text ?? suggestion.title,
        value: suggestion.value,
        postBack: true,
      });
  }

  sendFile(file: File): void {
    this.#send({ type: 'message' }, file);
  }

  tellLanguage(language: Language): void {
    if (this.phase.value === 'open') this.#send({ type: 'event', name: 'lobby/language', value: { language } });
  }

  retry(key: string): void {
    this.#outbox.mark(key, { is: 'sending' });
    this.#sender?.wake();
  }

  discard(key: string): void {
    this.#outbox.remove(key);
  }

  end(): void {
    this.#send({ type: 'endOfConversation' });
    this.#markEnded();
  }

  startNew(): void {
    if (this.phase.value === 'open') this.#endQuietly();
    this.#outbox.empty();
    this.#renew();
  }

  /** Clears this device at once; the bank voids the credential as soon as it can be told. */
  forget(): void {
    const visitor = this.#tools.keep.get(VISITOR);
    if (this.phase.value === 'open') this.#endQuietly();
    this.#hangUp();
    this.#outbox.empty();
    for (const key of this.#tools.keep.keys('lobby.')) this.#tools.keep.remove(key);
    this.signedIn.value = undefined;
    this.phase.value = 'forgotten';
    if (visitor) this.#tools.http('/api/chat/forget', jsonPost({ visitor })).catch(() => undefined);
  }

  copy(): Promise<Blob> {
    return this.#line?.copy(this.#language.value) ?? Promise.reject(new Error('There is no conversation to copy.'));
  }

  /** Demo only: plays the bank's own sign-in. */
  async signIn(customer: { readonly key: string; readonly name: string }): Promise<void> {
    const body = { customer: customer.key };
    const { bankToken } = await askJson(this.#tools.http, '/api/chat/demo-sign-in', { body });
    await this.#line?.signIn(String(bankToken));
    this.#tools.keep.set(SIGNED_IN, customer.name);
    this.signedIn.value = customer.name;
  }

  /** Whoever comes next on this device is nobody's customer, in a conversation of their own. */
  signOut(): void {
    this.forget();
    this.#renew();
  }

  /** The customer has had this row before their eyes. Sent once things are quiet, and again with the next if it got lost. */
  seen(seq: number): void {
    if (seq <= this.#seen) return;
    this.#seen = seq;
    this.#cancelSeen();
    this.#cancelSeen = this.#tools.timer(SEEN_DELAY_MS, () => void this.#tellSeen(seq));
  }

  /** The network or the screen is back. */
  nudge(): void {
    void this.#line?.nudge();
    this.#sender?.wake();
  }

  #send(activity: Outgoing, file?: File): void {
    const after = this.#received.value.at(-1)?.seq ?? 0;
    this.#outbox.add({ key: this.#tools.newKey(), at: this.#tools.now(), after, activity, ...(file && { file }) });
    this.announces.value = true;
    this.#sender?.wake();
  }

  #openLine(conversationId: string | undefined): void {
    const visitor = this.#tools.keep.get(VISITOR) ?? undefined;
    const line: DirectLine = new DirectLine(
      this.#tools,
      this.#lineEvents(() => line),
      { visitor, conversationId },
    );
    this.#line = line;
    void line.run();
  }

  /** A line that was hung up may still have an answer under way: nobody listens to it any more. */
  #lineEvents(line: () => DirectLine): LineEvents {
    const ifCurrent = (work: () => void): void => {
      if (this.#line === line()) work();
    };
    return {
      visitor: (credential) => ifCurrent(() => this.#tools.keep.set(VISITOR, credential)),
      opened: ({ id, userId, fresh }) => ifCurrent(() => this.#opened(line(), id, userId, fresh)),
      activities: (wire) => ifCurrent(() => this.#take(wire)),
      status: (status) => ifCurrent(() => this.#takeStatus(status)),
      lost: () => ifCurrent(() => this.#startAfterLoss()),
    };
  }

  #opened(line: DirectLine, id: string, userId: string, fresh: boolean): void {
    this.#userId = userId;
    if (this.#sender) return;
    if (fresh) this.#greet(id);
    this.#tools.timer(fresh ? 0 : HISTORY_MS, () => {
      this.announces.value = true;
    });
    this.#outbox.open(id);
    this.#sender = this.#newSender(line);
    this.#sender.wake();
  }

  /** The bank greets when the customer joins; until it was told, telling it stays in the outbox, ahead of everything. */
  #greet(id: string): void {
    this.#keepChat({ id, ended: false });
    this.#outbox.add({ key: this.#tools.newKey(), at: 0, after: 0, activity: { type: 'event', name: 'webchat/join' } });
  }

  #newSender(line: DirectLine): Sender {
    const locale = (): string => localeOf[this.#language.value];
    return new Sender(this.#outbox, {
      post: ({ key, activity, file }) => (file ? line.upload(file, key, locale()) : line.post(activity, key, locale())),
      isLive: () => this.status.value === 'live',
      timer: this.#tools.timer,
      onGone: () => void line.nudge(),
      onSent: (item) => this.#expectEcho(item),
    });
  }

  #expectEcho({ key, activity }: Mine): void {
    if (activity.type !== 'message') this.#outbox.remove(key);
    this.#tools.timer(ECHO_LIMIT_MS, () => {
      if (this.#outbox.items.some((item) => item.key === key)) void this.#line?.nudge();
    });
  }

  #take(wire: readonly unknown[]): void {
    const arrived = wire.flatMap((value) => readActivity(value, this.#userId) ?? []);
    batch(() => {
      this.#received.value = withReceived(this.#received.value, arrived);
      for (const { key } of arrived) if (this.#mine.value.some((item) => item.key === key)) this.#outbox.remove(key);
      if (hasEnded(arrived)) this.#markEnded();
    });
  }

  #takeStatus(status: LineStatus): void {
    this.status.value = status;
    if (status === 'live') this.#sender?.wake();
  }

  #startAfterLoss(): void {
    this.#hangUp();
    this.#tools.keep.remove(CHAT);
    this.#outbox.carryOver();
    this.afterLoss.value = true;
    this.phase.value = 'open';
    this.#openLine(undefined);
  }

  #renew(): void {
    this.#hangUp();
    this.#tools.keep.remove(CHAT);
    this.afterLoss.value = false;
    this.phase.value = 'open';
    this.#openLine(undefined);
  }

  #hangUp(): void {
    this.#cancelSeen();
    this.#sender?.stop();
    this.#sender = undefined;
    this.#line?.stop();
    this.#line = undefined;
    this.#seen = 0;
    this.#received.value = [];
    this.status.value = 'connecting';
  }

  /** Best effort: the customer goes on whether or not the bank hears of it. */
  #endQuietly(): void {
    const key = this.#tools.newKey();
    this.#line?.post({ type: 'endOfConversation' }, key, localeOf[this.#language.value]).catch(() => undefined);
  }

  async #tellSeen(seq: number): Promise<void> {
    try {
      const event: Outgoing = { type: 'event', name: 'lobby/seen', value: { seq } };
      await this.#line?.post(event, this.#tools.newKey(), localeOf[this.#language.value]);
    } catch {
      if (this.#seen === seq) this.#seen = 0;
    }
  }

  #markEnded(): void {
    this.phase.value = 'ended';
    const chat = this.#keptChat();
    if (chat) this.#keepChat({ ...chat, ended: true });
  }

  #isAnswering(): boolean {
    const sending = this.#mine.value.some(
      ({ activity, state }) => activity.type === 'message' && state.is === 'sending',
    );
    return sending && this.status.value === 'live';
  }

  #keptChat(): KeptChat | undefined {
    try {
      const chat = JSON.parse(this.#tools.keep.get(CHAT) ?? 'null') as KeptChat | null;
      return typeof chat?.id === 'string' ? chat : undefined;
    } catch {
      return undefined;
    }
  }

  #keepChat(chat: KeptChat): void {
    this.#tools.keep.set(CHAT, JSON.stringify(chat));
  }
}

function jsonPost(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    keepalive: true,
  };
}
