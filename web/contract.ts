/** The JSON that the customer's page and its routes agree on. Routes parse with these; pages import the types only. */

import { z } from 'zod';

const conversationId = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'A conversation id has 22 characters.');

/** The signed credential by which a browser is known again: opaque to the page, kept on the device. */
const visitor = z.string().min(1).max(2048);

/** `POST /api/chat/token`: a Direct Line token for a new or returning visitor. Without `conversationId` a new conversation is meant. */
export const ChatTokenRequest = z.object({
  visitor: visitor.optional(),
  conversationId: conversationId.optional(),
  /** The customer's reference, signed by the bank's own site. */
  bankToken: z.string().min(1).max(4096).optional(),
});
export type ChatTokenRequest = z.infer<typeof ChatTokenRequest>;

export const ChatTokenReply = z.strictObject({
  token: z.string(),
  conversationId,
  userId: z.string(),
  /** Seconds. */
  expires_in: z.number().int().positive(),
  visitor,
});
export type ChatTokenReply = z.infer<typeof ChatTokenReply>;

/** `POST /api/chat/forget`: answers 204. The credential is void from then on. */
export const ChatForgetRequest = z.strictObject({ visitor });
export type ChatForgetRequest = z.infer<typeof ChatForgetRequest>;

/** `GET /api/chat/copy?lang=`, with the Direct Line token: the whole conversation as a text file. */
export const ChatCopyQuery = z.strictObject({ lang: z.enum(['zh', 'en']).default('zh') });
export type ChatCopyQuery = z.infer<typeof ChatCopyQuery>;

/** `GET /api/chat/settings`: what the page must know before it can speak for the bank. */
export const ChatSettings = z.strictObject({
  bank: z.strictObject({ zh: z.string(), en: z.string() }),
  hotline: z.string(),
  uploads: z.boolean(),
  mode: z.enum(['demo', 'production']),
  /** The longest message the bank takes, in UTF-16 units. */
  maxText: z.number().int().positive(),
  /** Whom the demo can sign in as; empty in production. */
  demoCustomers: z.array(z.strictObject({ key: z.string(), name: z.string() })),
});
export type ChatSettings = z.infer<typeof ChatSettings>;

/** `POST /api/chat/demo-sign-in`, demo only: plays the bank's own site and answers `{ bankToken }`. */
export const DemoSignInRequest = z.object({ customer: z.string().min(1).max(100) });
export type DemoSignInRequest = z.infer<typeof DemoSignInRequest>;

/** Every error of Lobby's own routes. */
export const ErrorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
export type ErrorReply = z.infer<typeof ErrorReply>;
