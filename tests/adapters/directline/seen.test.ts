/** What customers have confirmed to have been shown. */

import { expect, it } from 'vitest';
import type { WebRecord } from '../../../adapters/directline/port.ts';
import { Seen } from '../../../adapters/directline/seen.ts';
import { silentLog } from '../../support/log.ts';

type Confirmations = Parameters<WebRecord['confirmSeen']>[0];

function remembering(): { written: Confirmations[]; confirmSeen(confirmations: Confirmations): Promise<void> } {
  const written: Confirmations[] = [];
  return {
    written,
    confirmSeen(confirmations) {
      written.push(confirmations);
      return Promise.resolve();
    },
  };
}

it('confirmations of a moment are written in one go, each conversation’s highest', async () => {
  const record = remembering();
  const seen = new Seen(record, silentLog);
  seen.note('a', 1);
  seen.note('b', 5);
  seen.note('a', 3);
  seen.note('a', 2);
  await seen.write();
  expect(record.written).toEqual([
    [
      { conversationId: 'a', seq: 3 },
      { conversationId: 'b', seq: 5 },
    ],
  ]);
});

it('a poll that brings nothing new costs nothing', async () => {
  const record = remembering();
  const seen = new Seen(record, silentLog);
  seen.note('a', 3);
  await seen.write();
  seen.note('a', 3);
  seen.note('a', 0);
  await seen.write();
  expect(record.written).toHaveLength(1);
});

it('what could not be written is written when it is confirmed again', async () => {
  let away = true;
  const record = remembering();
  const shaky = {
    confirmSeen: (confirmations: Confirmations) =>
      away ? Promise.reject(new Error('away')) : record.confirmSeen(confirmations),
  };
  const seen = new Seen(shaky, silentLog);
  seen.note('a', 3);
  await seen.write();
  away = false;
  seen.note('a', 3);
  await seen.write();
  expect(record.written).toEqual([[{ conversationId: 'a', seq: 3 }]]);
});
