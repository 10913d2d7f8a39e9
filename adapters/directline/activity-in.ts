/** What a Direct Line client may say: the edge where a browser's JSON becomes an activity of ours. */

import type { Activity } from 'botbuilder';
import { z } from 'zod';
import { HttpError, whatIsWrong } from '../http.ts';
import type { TokenClaims } from './tokens.ts';

/** Characters of a message, counted as JavaScript and the customer's page count them. */
export const MAX_TEXT = 4_000;

const LOCALE = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/;
const short = (length: number) => z.string().max(length).optional();
const key = z.string().min(1).max(128);
const reactions = z
  .array(z.object({ type: z.string().max(64) }))
  .max(10)
  .optional();

/** Everything else in channelData is the client's own, or a lie about order: it is left out. */
const channelData = z.object({
  clientActivityID: key.optional(),
  idempotencyKey: key.optional(),
  postBack: z.boolean().optional(),
  messageBack: z.object({ displayText: short(MAX_TEXT) }).optional(),
  attachmentSizes: z.array(z.number().int().nonnegative()).max(20).optional(),
});

const attachment = z.object({ contentType: z.string().max(127).catch('application/octet-stream'), name: short(1_000) });

/** Fields that only the bot or the service may set (recipient, suggestedActions, serviceUrl, …) are not listed, so they go. */
const incoming = z.object({
  type: z.enum(['message', 'event', 'typing', 'endOfConversation', 'messageReaction'], {
    error: 'A client may send message, event, typing, endOfConversation and messageReaction.',
  }),
  // zod's own max counts code points.
  text: z
    .string()
    .refine(({ length }) => length <= MAX_TEXT, `A message may have at most ${MAX_TEXT} characters.`)
    .optional(),
  name: short(200),
  value: z.unknown().optional(),
  valueType: short(200),
  code: short(64),
  replyToId: short(64),
  locale: z.string().regex(LOCALE).optional().catch(undefined),
  localTimestamp: short(64),
  localTimezone: short(64),
  from: z
    .object({ name: short(100) })
    .optional()
    .catch(undefined),
  reactionsAdded: reactions,
  reactionsRemoved: reactions,
  attachments: z.array(attachment).max(20, 'A message may carry at most 20 files.').optional(),
  channelData: channelData.optional(),
});

/** An activity as a client may send it. */
export type ClientActivity = z.output<typeof incoming>;

/** Checks what a client sent. `files` is how many came with it: attachments travel by upload, never inside the JSON. */
export function parseActivity(value: unknown, files = 0): ClientActivity {
  const parsed = incoming.safeParse(value ?? {});
  if (!parsed.success) throw refusal(parsed.error);
  const activity = parsed.data;
  if (files === 0 && activity.attachments && activity.attachments.length > 0) {
    throw new HttpError(400, 'attachment_not_uploaded', 'Send files to the conversation’s upload address.');
  }
  const says = activity.text || activity.value !== undefined || files > 0;
  if (activity.type === 'message' && !says)
    throw new HttpError(400, 'empty_message', 'A message needs text, a value or a file.');
  if (activity.type === 'event' && !activity.name) throw new HttpError(400, 'bad_activity', 'An event needs a name.');
  return activity;
}

/** A file that came with a message, by the name the record knows it under. */
export interface CarriedFile {
  readonly contentType: string;
  readonly name: string;
  readonly contentUrl: string;
  readonly size: number;
}

/** The activity the turn runs on. Who speaks, where and to whom is taken from the token, whatever the client wrote. */
export function toActivity(
  client: ClientActivity,
  { conversationId, userId, userName }: TokenClaims,
  files: readonly CarriedFile[] = [],
): Partial<Activity> {
  const { from, attachments: _described, channelData: data, ...said } = client;
  const name = userName ?? from?.name;
  // botbuilder types times as Date; on the wire and in the record they are text.
  const activity: object = {
    ...said,
    ...(said.text !== undefined && { textFormat: 'plain' }),
    ...(files.length > 0 && { attachments: files.map(({ size: _size, ...file }) => file) }),
    channelData: { ...data, ...(files.length > 0 && { attachmentSizes: files.map(({ size }) => size) }) },
    channelId: 'directline',
    conversation: { id: conversationId },
    from: { id: userId, role: 'user', ...(name && { name }) },
    recipient: { id: 'lobby', role: 'bot' },
  };
  return activity as Partial<Activity>;
}

/** What makes a repeat recognisable; null when the client sent nothing of the kind. */
export function keyOf({ channelData: data }: ClientActivity): string | null {
  return data?.idempotencyKey ?? data?.clientActivityID ?? null;
}

const seenShape = z.object({ seq: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER) });

/** How far the customer has read, when this is our page saying so; null for every other activity. */
export function seenOf({ type, name, value }: ClientActivity): number | null {
  if (type !== 'event' || name !== 'lobby/seen') return null;
  const parsed = seenShape.safeParse(value);
  if (!parsed.success) throw new HttpError(400, 'bad_activity', 'lobby/seen needs a value { seq }.');
  return parsed.data.seq;
}

function refusal(error: z.ZodError): HttpError {
  const [issue] = error.issues;
  switch (issue?.path.join('.') ?? '') {
    case '':
      return new HttpError(400, 'bad_activity', 'Send one activity as a JSON object.');
    case 'type':
      return new HttpError(400, 'bad_activity_type', issue?.message ?? '');
    case 'text':
      return new HttpError(400, issue?.code === 'custom' ? 'text_too_long' : 'bad_activity', whatIsWrong(error));
    default:
      return new HttpError(400, 'bad_activity', whatIsWrong(error));
  }
}
