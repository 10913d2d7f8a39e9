/** What arrives over the line, read into the page's own terms. Anything that does not read is left out, never shown half. */

export type Side = 'customer' | 'bank';
export type Speaker = 'customer' | 'bot' | 'staff';

/** An answer the bank suggests. */
export type Suggestion =
  | { readonly kind: 'say'; readonly title: string; readonly text: string }
  | { readonly kind: 'post'; readonly title: string; readonly text?: string; readonly value: unknown }
  | { readonly kind: 'open'; readonly title: string; readonly url: string };

export interface SentFile {
  readonly name: string;
  /** Absent while it is on its way. */
  readonly url?: string;
}

/** One row of the conversation as the bank recorded it. */
export interface Received {
  readonly id: string;
  /** The row's place in the conversation. */
  readonly seq: number;
  readonly kind: 'message' | 'typing' | 'end' | 'other';
  readonly speaker: Speaker;
  /** What the page called it when it sent it; the id for everybody else's. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  readonly files: readonly SentFile[];
  readonly suggestions: readonly Suggestion[];
}

/** What the page posts. */
export interface Outgoing {
  readonly type: 'message' | 'event' | 'endOfConversation';
  readonly text?: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly postBack?: boolean;
}

type Bag = Readonly<Record<string, unknown>>;

export function readActivity(value: unknown, userId: string): Received | undefined {
  const activity = bag(value);
  const id = text(activity.id);
  if (id === '') return undefined;
  const channelData = bag(activity.channelData);
  const speaker = speakerOf(activity, channelData, userId);
  return {
    id,
    seq: seqOf(id, channelData),
    kind: kindOf(activity.type),
    speaker,
    key: (speaker === 'customer' && (text(channelData.idempotencyKey) || text(channelData.clientActivityID))) || id,
    at: Date.parse(text(activity.timestamp)) || 0,
    text: text(activity.text),
    files: list(activity.attachments).flatMap(readFile),
    suggestions: list(bag(activity.suggestedActions).actions).flatMap(readSuggestion),
  };
}

function kindOf(type: unknown): Received['kind'] {
  if (type === 'message' || type === 'typing') return type;
  return type === 'endOfConversation' ? 'end' : 'other';
}

function speakerOf(activity: Bag, channelData: Bag, userId: string): Speaker {
  const from = bag(activity.from);
  if (from.role === 'user' || from.id === userId) return 'customer';
  return channelData.speaker === 'staff' ? 'staff' : 'bot';
}

/** Rows carry their number twice: for Web Chat's sorting, and at the end of their id. */
function seqOf(id: string, channelData: Bag): number {
  const stated = channelData['webchat:sequence-id'];
  return typeof stated === 'number' ? stated : Number(id.slice(id.lastIndexOf('|') + 1)) || 0;
}

function readFile(value: unknown): SentFile[] {
  const attachment = bag(value);
  const name = text(attachment.name);
  const url = text(attachment.contentUrl);
  if (name === '' && url === '') return [];
  return [{ name, ...(isWebAddress(url) && { url }) }];
}

function readSuggestion(value: unknown): Suggestion[] {
  const action = bag(value);
  const title = text(action.title) || text(action.value);
  if (title === '') return [];
  switch (action.type) {
    case 'openUrl':
      return isWebAddress(text(action.value)) ? [{ kind: 'open', title, url: text(action.value) }] : [];
    case 'postBack':
      return [{ kind: 'post', title, value: action.value }];
    case 'messageBack':
      return [{ kind: 'post', title, text: text(action.text) || title, value: action.value }];
    default:
      return [{ kind: 'say', title, text: text(action.value) || title }];
  }
}

/** Links lead to web pages or to this site, never into a script. */
export function isWebAddress(url: string): boolean {
  return /^(https?:\/\/|\/(?!\/))/i.test(url);
}

function bag(value: unknown): Bag {
  return typeof value === 'object' && value !== null ? (value as Bag) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
