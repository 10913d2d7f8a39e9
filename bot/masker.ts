/** What the gate does to every message before it is used for anything: secrets out, numbers masked, counted. */

import type { Activity } from 'botbuilder';
import { maskJson, maskSplit } from '../record/masking.ts';
import type { Metrics } from './metrics.ts';
import type { Masker } from './turn.ts';

/** Names and addresses the program itself gave: masking them would break what they point at. */
const KEPT = [
  'type',
  'id',
  'from.id',
  'locale',
  'timestamp',
  'localTimestamp',
  'localTimezone',
  'channelId',
  'conversation.id',
  'recipient.id',
  'serviceUrl',
  'channelData.clientActivityID',
  'channelData.idempotencyKey',
  'attachments.*.contentType',
  'attachments.*.contentUrl',
];

export function createMasker(metrics: Pick<Metrics, 'erasedSecret'>): Masker {
  const count = (erased: readonly string[]): void => {
    for (const kind of erased) metrics.erasedSecret(kind);
  };
  return {
    mask(activity) {
      const { value, erased } = maskJson<Partial<Activity>>(activity, KEPT);
      count(erased);
      return { activity: value, erased };
    },
    maskRest(recent, text) {
      const { text: masked, erased } = maskSplit(recent, text);
      count(erased);
      return { text: masked, erased };
    },
  };
}
