import { describe, expect, test } from 'vitest';
import { isWebAddress, readActivity } from '../../../web/chat/activity.ts';

const row = {
  id: 'conv|0000007',
  type: 'message',
  timestamp: '2026-11-23T06:00:00.000Z',
  from: { id: 'lobby', role: 'bot' },
  text: '您好',
  channelData: { 'webchat:sequence-id': 7 },
};

describe('readActivity', () => {
  test('reads an answer of the assistant', () => {
    expect(readActivity(row, 'dl_me')).toEqual({
      id: 'conv|0000007',
      seq: 7,
      kind: 'message',
      speaker: 'bot',
      key: 'conv|0000007',
      at: Date.parse(row.timestamp),
      text: '您好',
      files: [],
      suggestions: [],
    });
  });

  test('knows the customer’s own by the key it was sent under, also when it was sent twice', () => {
    const mine = { ...row, from: { id: 'dl_me', role: 'user' } };
    const sent = { ...mine, channelData: { idempotencyKey: 'k', clientActivityID: 'second-try' } };
    expect(readActivity(sent, 'dl_me')).toMatchObject({ speaker: 'customer', key: 'k', seq: 7 });
    expect(readActivity({ ...mine, channelData: { clientActivityID: 'c' } }, 'dl_me')).toMatchObject({ key: 'c' });
  });

  test('never lets the bank’s row take over a key of the customer’s', () => {
    expect(readActivity({ ...row, channelData: { idempotencyKey: 'k' } }, 'dl_me')?.key).toBe(row.id);
  });

  test('reads each kind of suggested answer, and leaves out a link that is none', () => {
    const actions = [
      { type: 'imBack', title: '利率', value: '定期存款利率' },
      { type: 'postBack', title: '是', value: { yes: true } },
      { type: 'messageBack', title: '查看', text: '查看详情', value: 1 },
      { type: 'openUrl', title: '公告', value: 'https://a.example' },
      { type: 'openUrl', title: '坏', value: 'javascript:alert(1)' },
    ];
    expect(readActivity({ ...row, suggestedActions: { actions } }, 'dl_me')?.suggestions).toEqual([
      { kind: 'say', title: '利率', text: '定期存款利率' },
      { kind: 'post', title: '是', value: { yes: true } },
      { kind: 'post', title: '查看', text: '查看详情', value: 1 },
      { kind: 'open', title: '公告', url: 'https://a.example' },
    ]);
  });

  test('shows a file by its name, and links only to the web', () => {
    const attachments = [
      { name: 'a.pdf', contentUrl: '/v3/x' },
      { name: 'b.pdf', contentUrl: 'blob:evil' },
      { contentType: 'x' },
    ];
    expect(readActivity({ ...row, attachments }, 'dl_me')?.files).toEqual([
      { name: 'a.pdf', url: '/v3/x' },
      { name: 'b.pdf' },
    ]);
  });

  test.each([null, 'x', 7, [], {}, { id: 5 }, { type: 'message' }])('leaves out %j', (value) => {
    expect(readActivity(value, 'dl_me')).toBeUndefined();
  });

  test('stands whatever a field holds instead of what it should', () => {
    const odd = {
      id: 'c|3',
      type: 9,
      from: 'x',
      text: {},
      attachments: 'y',
      suggestedActions: [],
      channelData: 4,
      timestamp: 'soon',
    };
    expect(readActivity(odd, 'dl_me')).toEqual({
      id: 'c|3',
      seq: 3,
      kind: 'other',
      speaker: 'bot',
      key: 'c|3',
      at: 0,
      text: '',
      files: [],
      suggestions: [],
    });
  });
});

test.each([
  ['https://a.example', true],
  ['HTTP://a.example', true],
  ['/v3/file', true],
  ['//evil.example', false],
  ['javascript:alert(1)', false],
  ['', false],
])('isWebAddress(%j) is %j', (url, expected) => {
  expect(isWebAddress(url)).toBe(expected);
});
