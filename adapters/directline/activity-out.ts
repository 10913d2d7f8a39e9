/** What a Direct Line client is shown: rows of the record as activities. */

import type { RecordedActivity } from '../../record/types.ts';

/** What rendering needs beside the rows. */
export interface Rendering {
  readonly userId: string;
  readonly botName: string;
  /** The address a browser loads an uploaded file from. */
  readonly uploadUrl: (conversationId: string, uploadId: string) => string;
}

/** A set of activities as a poll or a socket carries it. */
export interface ActivitySet {
  readonly activities: readonly object[];
  readonly watermark: string;
}

/** How a recorded attachment names an uploaded file; a browser gets an address instead. */
export const UPLOAD_SCHEME = 'upload:';

/** The id a client knows a row by. */
export function activityId(conversationId: string, seq: number): string {
  return `${conversationId}|${String(seq).padStart(7, '0')}`;
}

/** The visible rows in order, and the watermark behind them. Hidden rows only move the watermark. */
export function renderSet(rows: readonly RecordedActivity[], after: number, rendering: Rendering): ActivitySet {
  const activities: object[] = [];
  let cause: RecordedActivity | undefined;
  for (const row of rows) {
    if (row.turn !== cause?.turn) cause = row;
    if (row.direction !== 'event') activities.push(render(row, cause, rendering));
  }
  return { activities, watermark: String(rows.at(-1)?.seq ?? after) };
}

/** One row as a client sees it. `cause` is the first row of its turn, as far as it is known. */
export function render(row: RecordedActivity, cause: RecordedActivity, rendering: Rendering): object {
  const { conversationId, seq, at, body } = row;
  const { conversation: _where, recipient: _whom, serviceUrl: _route, attachments, ...shown } = body;
  return {
    ...shown,
    ...(Array.isArray(attachments) && {
      attachments: attachments.map((item) => located(item, conversationId, rendering)),
    }),
    id: activityId(conversationId, seq),
    timestamp: at,
    channelId: 'directline',
    conversation: { id: conversationId },
    from: speaker(row, rendering),
    ...(row.direction === 'out' && cause.direction === 'in' && { replyToId: activityId(conversationId, cause.seq) }),
    channelData: { ...asObject(body.channelData), 'webchat:sequence-id': seq },
  };
}

/** The customer's own row once more, under the client id of the repeat that is waiting to see it. */
export function renderRepeat(row: RecordedActivity, clientActivityID: string, rendering: Rendering): object {
  const channelData = { ...asObject(row.body.channelData), clientActivityID };
  return render({ ...row, body: { ...row.body, channelData } }, row, rendering);
}

function speaker({ direction, body }: RecordedActivity, { userId, botName }: Rendering): object {
  const { name } = asObject(body.from);
  if (direction === 'in') return { id: userId, role: 'user', ...(typeof name === 'string' && { name }) };
  return { id: 'lobby', name: typeof name === 'string' ? name : botName, role: 'bot' };
}

function located(item: unknown, conversationId: string, { uploadUrl }: Rendering): unknown {
  const { contentUrl } = asObject(item);
  if (typeof contentUrl !== 'string' || !contentUrl.startsWith(UPLOAD_SCHEME)) return item;
  return { ...asObject(item), contentUrl: uploadUrl(conversationId, contentUrl.slice(UPLOAD_SCHEME.length)) };
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}
