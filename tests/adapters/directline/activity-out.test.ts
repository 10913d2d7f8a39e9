/** What a Direct Line client is shown. */

import { describe, expect, it } from 'vitest';
import { activityId, Renderer, renderSet } from '../../../adapters/directline/activity-out.ts';
import type { RecordedActivity } from '../../../record/types.ts';

const rendering = {
  userId: 'dl_me',
  botName: '小湖',
  uploadUrl: (conversationId: string, id: string) => `https://lobby/${conversationId}/${id}?s=1`,
};
const at = '2026-11-23T08:00:00.000Z';
const row = (seq: number, turn: number, direction: RecordedActivity['direction'], body: object): RecordedActivity => ({
  conversationId: 'conv',
  seq,
  turn,
  direction,
  speaker: direction === 'in' ? 'customer' : 'bot',
  at,
  body: body as RecordedActivity['body'],
});
const shown = (...rows: RecordedActivity[]) => renderSet(rows, 0, rendering);

describe('rows of the record', () => {
  it('become activities with an id, a time, a speaker and an order', () => {
    const question = row(1, 1, 'in', {
      type: 'message',
      text: 'hi',
      channelData: { clientActivityID: 'c', 'webchat:sequence-id': 99 },
    });
    const answer = row(2, 1, 'out', {
      type: 'message',
      text: 'hello',
      inputHint: 'expectingInput',
      suggestedActions: { actions: [] },
    });
    expect(shown(question, answer)).toEqual({
      watermark: '2',
      activities: [
        {
          type: 'message',
          text: 'hi',
          id: 'conv|0000001',
          timestamp: at,
          channelId: 'directline',
          conversation: { id: 'conv' },
          from: { id: 'dl_me', role: 'user' },
          channelData: { clientActivityID: 'c', 'webchat:sequence-id': 1 },
        },
        {
          type: 'message',
          text: 'hello',
          inputHint: 'expectingInput',
          suggestedActions: { actions: [] },
          id: 'conv|0000002',
          timestamp: at,
          channelId: 'directline',
          conversation: { id: 'conv' },
          from: { id: 'lobby', name: '小湖', role: 'bot' },
          replyToId: 'conv|0000001',
          channelData: { 'webchat:sequence-id': 2 },
        },
      ],
    });
  });

  it('that are hidden only move the watermark', () => {
    expect(shown(row(1, 1, 'event', { type: 'event', name: 'owner' }))).toEqual({ activities: [], watermark: '1' });
    expect(renderSet([], 7, rendering)).toEqual({ activities: [], watermark: '7' });
  });

  it('never reply to what is hidden, nor to a row of another turn', () => {
    const { activities } = shown(
      row(1, 1, 'event', {}),
      row(2, 1, 'out', { text: 'a' }),
      row(3, 2, 'out', { text: 'b' }),
    );
    for (const activity of activities) expect(activity).not.toHaveProperty('replyToId');
  });

  it('keep a staff member’s name', () => {
    expect(shown(row(1, 1, 'out', { text: 'hi', from: { id: 'x', name: '李玮' } })).activities[0]).toMatchObject({
      from: { id: 'lobby', name: '李玮', role: 'bot' },
    });
  });

  it('keep nothing of how the service routes them', () => {
    const routed = row(1, 1, 'out', {
      text: 'hi',
      serviceUrl: 'https://inside',
      recipient: { id: 'r' },
      conversation: { id: 'inside' },
    });
    const [activity] = shown(routed).activities;
    expect(activity).not.toHaveProperty('serviceUrl');
    expect(activity).not.toHaveProperty('recipient');
    expect(activity).toHaveProperty('conversation', { id: 'conv' });
  });

  it('name an uploaded file by an address a browser can load', () => {
    const attachments = [
      { contentType: 'application/pdf', name: 'a.pdf', contentUrl: 'upload:f1' },
      { contentType: 'application/vnd.microsoft.card.adaptive', content: {} },
    ];
    expect(shown(row(1, 1, 'in', { type: 'message', attachments })).activities[0]).toHaveProperty('attachments', [
      { contentType: 'application/pdf', name: 'a.pdf', contentUrl: 'https://lobby/conv/f1?s=1' },
      attachments[1],
    ]);
  });

  it.each([
    ['image/png', true],
    ['image/jpeg', true],
    ['image/gif', true],
    ['image/webp', true],
    ['image/heic', false],
    ['application/pdf', false],
  ])('of type %s can be drawn by a browser: %s', (contentType, drawn) => {
    const attachments = [{ contentType, name: 'a', contentUrl: 'upload:f1' }];
    expect(shown(row(1, 1, 'in', { type: 'message', attachments })).activities[0]).toHaveProperty('attachments', [
      {
        contentType,
        name: 'a',
        contentUrl: 'https://lobby/conv/f1?s=1',
        ...(drawn && { thumbnailUrl: 'https://lobby/conv/f1?s=1' }),
      },
    ]);
  });
});

it('a turn read in two parts keeps its cause', () => {
  const renderer = new Renderer(rendering);
  renderer.show([row(1, 1, 'in', { text: 'hi' })]);
  expect(renderer.show([row(2, 1, 'out', { text: 'hello' })])).toMatchObject([
    { watermark: '2', activity: { replyToId: 'conv|0000001' } },
  ]);
});

it('a repeat is the same row under the client id that waits for it', () => {
  const first = row(3, 2, 'in', {
    type: 'message',
    text: 'hi',
    channelData: { idempotencyKey: 'k', clientActivityID: 'old' },
  });
  expect(new Renderer(rendering).repeat({ row: first, clientActivityID: 'new' })).toMatchObject({
    id: 'conv|0000003',
    channelData: { idempotencyKey: 'k', clientActivityID: 'new', 'webchat:sequence-id': 3 },
  });
});

it('ids sort as the rows do up to ten million', () => {
  expect(activityId('c', 1) < activityId('c', 10)).toBe(true);
  expect(activityId('c', 9_999_999)).toBe('c|9999999');
});
