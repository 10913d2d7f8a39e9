/** What a Direct Line client may say. */

import { describe, expect, it } from 'vitest';
import { keyOf, MAX_TEXT, parseActivity, seenOf, toActivity } from '../../../adapters/directline/activity-in.ts';
import type { TokenClaims } from '../../../adapters/directline/tokens.ts';
import type { HttpError } from '../../../adapters/http.ts';

const claims: TokenClaims = {
  conversationId: 'AAAAAAAAAAAAAAAAAAAAAA',
  userId: 'dl_me',
  userName: null,
  family: '',
  tokenId: '',
  origins: [],
  expiresAt: new Date(),
};

const accepted = (value: unknown) => toActivity(parseActivity(value), claims);
const refusal = (value: unknown): string => {
  try {
    parseActivity(value);
  } catch (error) {
    return (error as HttpError).code;
  }
  throw new Error('It was accepted.');
};

describe('a message', () => {
  it('as Web Chat sends it arrives with what matters', () => {
    const activity = accepted({
      type: 'message',
      text: '你好',
      textFormat: 'plain',
      channelId: 'webchat',
      from: { id: 'u-1', name: '王芳', role: 'user' },
      locale: 'zh-HANS',
      localTimestamp: '2026-11-23T16:00:00.000+08:00',
      localTimezone: 'Asia/Shanghai',
      attachments: [],
      entities: [{ type: 'ClientCapabilities', requiresBotState: true }],
      channelData: { clientActivityID: 'abc', attachmentSizes: [], 'webchat:sequence-id': 17, state: 'sending' },
    });
    expect(activity).toEqual({
      type: 'message',
      text: '你好',
      textFormat: 'plain',
      channelId: 'directline',
      from: { id: 'dl_me', name: '王芳', role: 'user' },
      recipient: { id: 'lobby', role: 'bot' },
      conversation: { id: 'AAAAAAAAAAAAAAAAAAAAAA' },
      locale: 'zh-HANS',
      localTimestamp: '2026-11-23T16:00:00.000+08:00',
      localTimezone: 'Asia/Shanghai',
      channelData: { clientActivityID: 'abc', attachmentSizes: [] },
    });
  });

  it('comes from whom the token says, whatever the client writes', () => {
    const claimed = {
      type: 'message',
      text: 'hi',
      from: { id: 'dl_somebody_else', role: 'bot' },
      conversation: { id: 'x' },
    };
    expect(accepted(claimed)).toMatchObject({
      from: { id: 'dl_me', role: 'user' },
      conversation: { id: claims.conversationId },
    });
  });

  it('loses what only the bot or the service may set', () => {
    const activity = accepted({
      type: 'message',
      text: 'hi',
      id: '1',
      timestamp: '2020-01-01',
      suggestedActions: { actions: [] },
      serviceUrl: 'https://evil.example',
      recipient: { id: 'somebody' },
      deliveryMode: 'expectReplies',
      replyToId: 'a|0000001',
      speak: '<speak/>',
    });
    for (const field of ['id', 'timestamp', 'suggestedActions', 'serviceUrl', 'deliveryMode', 'speak']) {
      expect(activity).not.toHaveProperty(field);
    }
    expect(activity.recipient).toEqual({ id: 'lobby', role: 'bot' });
  });

  it(`may have ${MAX_TEXT} characters, counted as the page counts them, and no more`, () => {
    expect(accepted({ type: 'message', text: '字'.repeat(MAX_TEXT) }).text).toHaveLength(MAX_TEXT);
    expect(refusal({ type: 'message', text: '字'.repeat(MAX_TEXT + 1) })).toBe('text_too_long');
    expect(refusal({ type: 'message', text: '🙂'.repeat(MAX_TEXT / 2 + 1) })).toBe('text_too_long');
  });

  it('needs something to say; a submitted card says it in its value', () => {
    expect(refusal({ type: 'message' })).toBe('empty_message');
    expect(refusal({ type: 'message', text: '' })).toBe('empty_message');
    expect(accepted({ type: 'message', value: { amount: 1 }, channelData: { postBack: true } })).toMatchObject({
      value: { amount: 1 },
      channelData: { postBack: true },
    });
  });

  it('carries no files inside its JSON', () => {
    const attachments = [{ contentType: 'image/png', contentUrl: 'data:image/png;base64,AAAA', name: 'a.png' }];
    expect(refusal({ type: 'message', text: 'see', attachments })).toBe('attachment_not_uploaded');
  });

  it('is not refused for a locale we cannot read', () => {
    expect(accepted({ type: 'message', text: 'hi', locale: 'zh_CN; drop' })).not.toHaveProperty(
      'locale',
      expect.anything(),
    );
  });
});

describe('other activities', () => {
  it.each(['event', 'typing', 'endOfConversation', 'messageReaction'])('of type %s are taken', (type) => {
    expect(accepted({ type, name: 'page/opened' }).type).toBe(type);
  });

  it.each(['invoke', 'conversationUpdate', 'trace', 'handoff', '', 7, null, undefined])(
    'of type %s are refused',
    (type) => {
      expect(refusal({ type, text: 'hi' })).toBe('bad_activity_type');
    },
  );

  it.each([[[]], ['text'], [7], [true]])('that are no object (%j) are refused', (value) => {
    expect(refusal(value)).toBe('bad_activity');
  });

  it('of type event need a name', () => {
    expect(refusal({ type: 'event' })).toBe('bad_activity');
  });
});

describe('the key of a message', () => {
  const keyOfData = (channelData: object) => keyOf(parseActivity({ type: 'message', text: 'hi', channelData }));

  it('is the idempotency key, else the client activity id, else none', () => {
    expect(keyOfData({ idempotencyKey: 'k', clientActivityID: 'c' })).toBe('k');
    expect(keyOfData({ clientActivityID: 'c' })).toBe('c');
    expect(keyOfData({})).toBeNull();
  });

  it('may not be endless', () => {
    expect(refusal({ type: 'message', text: 'hi', channelData: { idempotencyKey: 'k'.repeat(129) } })).toBe(
      'bad_activity',
    );
  });
});

describe('the seen event of our page', () => {
  it('says how far the customer has read', () => {
    expect(seenOf(parseActivity({ type: 'event', name: 'lobby/seen', value: { seq: 5 } }))).toBe(5);
    expect(seenOf(parseActivity({ type: 'event', name: 'other', value: { seq: 5 } }))).toBeNull();
    expect(() => seenOf(parseActivity({ type: 'event', name: 'lobby/seen', value: { seq: -1 } }))).toThrow('seq');
  });
});
