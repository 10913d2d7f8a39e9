/** What every measured turn says and keeps: one message in, two replies out, one kilobyte of state. */

/** Text that does not compress: what a dialog keeps is not one letter a thousand times. */
const KEPT = Array.from({ length: 80 }, (_, n) =>
  Math.imul(n + 1, 2_654_435_761)
    .toString(36)
    .padStart(12, '0')
    .slice(0, 12),
).join('');

/** About 1 KB of dialog state, different after every turn. */
export function benchState(turns: number): { readonly turns: number; readonly kept: string } {
  return { turns, kept: KEPT };
}

/** Stands for the turn's number in a prepared request; as long as the longest number. */
export const NUMBER = '############';

/** What Direct Line's official client posts for a typed message. */
export function directLineActivity(text: string): object {
  return {
    type: 'message',
    text,
    textFormat: 'plain',
    from: { id: 'dl_visitor', name: '', role: 'user' },
    locale: 'en-US',
    localTimestamp: '2026-01-05T09:30:00.000+08:00',
    localTimezone: 'Asia/Shanghai',
    attachments: [],
    channelData: { clientActivityID: `c${NUMBER}`, attachmentSizes: [] },
  };
}

/** What a Bot Framework channel posts for the same message. */
export function botFrameworkActivity(text: string, conversationId: string, serviceUrl: string): object {
  return {
    ...directLineActivity(text),
    id: `a${NUMBER}`,
    channelId: 'emulator',
    serviceUrl,
    timestamp: '2026-01-05T01:30:00.000Z',
    from: { id: 'visitor', name: '', role: 'user' },
    recipient: { id: 'bot', name: 'Bot', role: 'bot' },
    conversation: { id: conversationId },
  };
}
