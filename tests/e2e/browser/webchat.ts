/** A page with official Web Chat, with everything such a page has to do itself: the token, one key for each message, coming back after a reload. */

interface Activity {
  readonly channelData?: Readonly<Record<string, unknown>>;
}

interface Action {
  readonly type: string;
  readonly payload?: { readonly activity?: Activity };
}

declare const WebChat: {
  createDirectLine(options: object): object;
  createStore(
    initial: object,
    ...middleware: (() => (next: (action: Action) => unknown) => (action: Action) => unknown)[]
  ): object;
  renderWebChat(options: object, element: HTMLElement | null): void;
};

interface Grant {
  readonly token: string;
  readonly visitor: string;
  readonly conversationId: string;
}

const KEPT = 'chat';
const query = new URLSearchParams(location.search);
const lobby = query.get('lobby') ?? location.origin;

/** Who this browser is to the bank, and which conversation it was in. */
const kept: Partial<Grant> = JSON.parse(localStorage.getItem(KEPT) ?? '{}');

async function requestToken(): Promise<Grant> {
  const { visitor, conversationId } = kept;
  const answer = await fetch('/api/chat/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ visitor, conversationId }),
  });
  return await answer.json();
}

/** Web Chat's Retry is a new message to any service; one key for life makes it the same. */
function withKey(action: Action): Action {
  const activity = action.payload?.activity;
  if (action.type !== 'DIRECT_LINE/POST_ACTIVITY' || !activity) return action;
  const channelData = { idempotencyKey: crypto.randomUUID(), ...activity.channelData };
  return { ...action, payload: { ...action.payload, activity: { ...activity, channelData } } };
}

const { token, visitor, conversationId } = await requestToken();
localStorage.setItem(KEPT, JSON.stringify({ visitor, conversationId }));
WebChat.renderWebChat(
  {
    directLine: WebChat.createDirectLine({
      domain: `${lobby}/v3/directline`,
      token,
      ...(kept.conversationId && { conversationId }),
    }),
    store: WebChat.createStore({}, () => (next) => (action) => next(withKey(action))),
    locale: query.get('locale'),
  },
  document.getElementById('webchat'),
);

export {};
