/** What the customer's page asks beside Direct Line: a token, who the bank is, a copy of the chat, and to be forgotten. */

import type { Server } from 'restify';
import type { z } from 'zod';
import type { DirectLine } from '../../adapters/directline/direct-line.ts';
import { answerJson, clientAddress, HttpError, readJson, trustProxies, whatIsWrong } from '../../adapters/http.ts';
import { readConversation } from '../../record/conversations.ts';
import { signIn } from '../../record/customers.ts';
import { DEMO_CUSTOMERS } from '../../record/demo-data.ts';
import type { Database } from '../../record/types.ts';
import {
  ChatCopyQuery,
  ChatForgetRequest,
  type ChatSettings,
  ChatTokenRequest,
  DemoSignInRequest,
} from '../../web/contract.ts';
import type { Bank } from '../bank.ts';
import type { BankTokens } from '../bank-token.ts';
import type { Config } from '../config.ts';
import { writeCopy } from '../copy.ts';
import type { Log } from '../log.ts';
import { route } from './route.ts';

/** The longest message a customer may send, in UTF-16 units. */
const MAX_TEXT = 4_000;

/** What the routes work with. */
export interface ChatParts {
  readonly config: Config;
  readonly bank: Bank;
  readonly directLine: DirectLine;
  readonly bankTokens: BankTokens;
  readonly database: Database;
  readonly newId: () => string;
  readonly now: () => Date;
  readonly log: Log;
}

export function mountChat(server: Server, parts: ChatParts): void {
  const { config, bank, directLine, bankTokens, database, now, log } = parts;
  const proxies = trustProxies(config.http.trustedProxies);

  route(server, log, 'get', '/api/chat/settings', (_request, response) => {
    const settings: ChatSettings = {
      bank: bank.name,
      hotline: bank.hotline,
      uploads: config.chat.uploads,
      mode: config.mode,
      maxText: MAX_TEXT,
      demoCustomers: config.mode === 'demo' ? DEMO_CUSTOMERS.map(({ key, name }) => ({ key, name })) : [],
    };
    answerJson(response, 200, settings);
    return Promise.resolve();
  });

  route(server, log, 'post', '/api/chat/token', async (request, response) => {
    const asked = parse(ChatTokenRequest, (await readJson(request)) ?? {});
    const vouched = asked.bankToken === undefined ? null : await bankTokens.verify(asked.bankToken);
    const issued = await directLine.issueForVisitor({
      credential: asked.visitor,
      conversationId: asked.conversationId,
      address: clientAddress(request, proxies),
    });
    if (vouched) await linkCustomer(parts, { ...issued, resumed: asked.conversationId !== undefined }, vouched);
    answerJson(response, 200, issued);
  });

  route(server, log, 'post', '/api/chat/forget', async (request, response) => {
    const { visitor } = parse(ChatForgetRequest, await readJson(request));
    await directLine.forget(visitor);
    response.writeHead(204);
    response.end();
  });

  route(server, log, 'get', '/api/chat/copy', async (request, response) => {
    const { lang } = parse(ChatCopyQuery, Object.fromEntries(new URL(request.url ?? '', 'http://lobby').searchParams));
    const { conversationId } = await directLine.claimsOf(request);
    const rows = await readConversation(database, conversationId);
    const text = writeCopy(rows, { language: lang, bank, zone: config.bank.timeZone, now: now(), mode: config.mode });
    response.writeHead(200, {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment; filename="conversation.txt"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(text);
  });

  if (config.mode !== 'demo') return;
  route(server, log, 'post', '/api/chat/demo-sign-in', async (request, response) => {
    const { customer } = parse(DemoSignInRequest, await readJson(request));
    const found = DEMO_CUSTOMERS.find(({ key }) => key === customer);
    if (!found) throw new HttpError(404, 'unknown_customer', 'The demo bank has no such customer.');
    answerJson(response, 200, { bankToken: await bankTokens.sign({ number: found.key, name: found.name }) });
  });
}

async function linkCustomer(
  { database, newId }: ChatParts,
  issued: { readonly userId: string; readonly conversationId: string; readonly resumed: boolean },
  vouched: { readonly bankRef: string; readonly name: string | null },
): Promise<void> {
  const { outcome } = await signIn(database, {
    userId: issued.userId,
    conversationId: issued.resumed ? issued.conversationId : null,
    bankRef: vouched.bankRef,
    name: vouched.name,
    verifiedBy: 'bank-token',
    newId,
  });
  if (outcome === 'known') return;
  throw new HttpError(
    409,
    'somebody_else',
    'This device is signed in as another customer: sign out first, then sign in again.',
  );
}

function parse<Shape extends z.ZodType>(shape: Shape, value: unknown): z.output<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HttpError(400, 'bad_request', whatIsWrong(parsed.error));
}
