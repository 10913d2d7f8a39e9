/** What a Direct Line client is shown: rows of the record as activities. */

import type { RecordedActivity } from '../../record/types.ts';
import type { Repeat } from './repeats.ts';

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

/** The first row of a turn: what the others reply to. */
type Cause = Pick<RecordedActivity, 'turn' | 'seq' | 'direction'>;

/** A visible row as a client sees it, and the watermark behind it. */
export interface ShownRow {
  readonly activity: object;
  readonly watermark: string;
}

/** Renders a conversation's rows as they come, remembering across calls which row began the turn. */
export class Renderer {
  readonly #rendering: Rendering;
  #cause: Cause | undefined;

  constructor(rendering: Rendering) {
    this.#rendering = rendering;
  }

  /** The visible rows in order. Hidden ones only move the watermark of those that follow. */
  show(rows: readonly RecordedActivity[]): ShownRow[] {
    const shown: ShownRow[] = [];
    for (const row of rows) {
      const { turn, seq, direction } = row;
      if (turn !== this.#cause?.turn) this.#cause = { turn, seq, direction };
      if (direction !== 'event') {
        shown.push({ activity: render(row, this.#cause, this.#rendering), watermark: String(seq) });
      }
    }
    return shown;
  }

  /** The customer's own row once more, under the client id of the repeat that is waiting to see it. */
  repeat({ row, clientActivityID }: Repeat): object {
    const channelData = { ...asObject(row.body.channelData), clientActivityID };
    return render({ ...row, body: { ...row.body, channelData } }, row, this.#rendering);
  }
}

/** What a poll answers: the visible rows after a watermark, those that somebody waits to see once more, and the watermark to go on from. */
export function renderSet(
  rows: readonly RecordedActivity[],
  after: number,
  rendering: Rendering,
  repeats: readonly Repeat[] = [],
): ActivitySet {
  const renderer = new Renderer(rendering);
  const shown = renderer.show(rows).map(({ activity }) => activity);
  const again = repeats.map((repeat) => renderer.repeat(repeat));
  return { activities: [...shown, ...again], watermark: String(rows.at(-1)?.seq ?? after) };
}

function render(row: RecordedActivity, cause: Cause, rendering: Rendering): object {
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

function speaker({ direction, body }: RecordedActivity, { userId, botName }: Rendering): object {
  const { name } = asObject(body.from);
  if (direction === 'in') return { id: userId, role: 'user', ...(typeof name === 'string' && { name }) };
  return { id: 'lobby', name: typeof name === 'string' ? name : botName, role: 'bot' };
}

/** Pictures every browser draws. */
const DRAWN: ReadonlySet<unknown> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** Official Web Chat draws a customer's picture only where it finds a `thumbnailUrl`; without one it shows a file to download. */
function located(item: unknown, conversationId: string, { uploadUrl }: Rendering): unknown {
  const { contentUrl, contentType } = asObject(item);
  if (typeof contentUrl !== 'string' || !contentUrl.startsWith(UPLOAD_SCHEME)) return item;
  const url = uploadUrl(conversationId, contentUrl.slice(UPLOAD_SCHEME.length));
  return { ...asObject(item), contentUrl: url, ...(DRAWN.has(contentType) && { thumbnailUrl: url }) };
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}
