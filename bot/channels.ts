/** The channels as this bank has set them up. */

import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { type BotFramework, createBotFramework } from '../adapters/bot-framework/adapter.ts';
import { createDirectLine, type DirectLine } from '../adapters/directline/direct-line.ts';
import { DEFAULT_LIMITS } from '../adapters/directline/limits.ts';
import { DEFAULT_UPLOADS } from '../adapters/directline/uploads.ts';
import { trustProxies } from '../adapters/http.ts';
import type { Database } from '../record/types.ts';
import { WebChat } from '../record/web-chat.ts';
import { BANK } from './bank.ts';
import type { Config } from './config.ts';
import type { Coordination } from './coordination.ts';
import type { Keys, ThreadIndex } from './keys.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Pressure } from './pressure.ts';
import type { Turns } from './turn.ts';

/** What the web channel works with. */
export interface WebParts {
  readonly turns: Turns;
  readonly database: Database;
  readonly coordination: Coordination;
  readonly pressure: Pressure;
  readonly keys: Keys;
  readonly now: () => Date;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Direct Line: the chat page, and every other Direct Line client. */
export function createWebChannel(
  config: Config,
  { turns, database, coordination, pressure, keys, now, log, metrics }: WebParts,
): DirectLine {
  const { chat, http, rates } = config;
  const minute = (points: number): { points: number; seconds: number } => ({ points, seconds: 60 });
  return createDirectLine({
    gate: turns,
    record: new WebChat(database),
    wake: coordination.wake,
    limiter: coordination.limiter,
    once: coordination.once,
    full: () => pressure.high,
    keys: [
      {
        id: keys.id,
        token: keys.derive('directline-token'),
        visitor: keys.derive('directline-visitor'),
        upload: keys.derive('directline-upload'),
      },
    ],
    config: {
      secret: chat.directLineSecret ?? null,
      chatOrigins: chat.origins,
      publicUrl: http.publicUrl ?? null,
      trustedProxies: trustProxies(http.trustedProxies),
      uploads: chat.uploads ? DEFAULT_UPLOADS : null,
      limits: {
        ...DEFAULT_LIMITS,
        tokensPerAddress: minute(rates.tokensPerAddress),
        startsPerAddress: minute(rates.conversationsPerAddress),
        postsPerConversation: minute(rates.postsPerConversation),
        postsPerUser: minute(rates.postsPerConversation * 2),
        uploadsPerConversation: minute(rates.uploadsPerConversation),
      },
      botName: BANK.name.zh,
    },
    clock: now,
    random: randomBytes,
    log,
    metrics: metrics.directLine,
  });
}

/** Bot Framework channels, unless the bank has closed them. */
export function createOutsideChannels(
  config: Config,
  gate: Turns,
  threadIndex: ThreadIndex,
  keys: Keys,
): BotFramework | null {
  const { botFramework: access } = config;
  if (access.access === 'closed') return null;
  return createBotFramework({
    credentials: access.access === 'open' ? null : access,
    gate,
    threadIndex,
    seal: (text) => keys.seal('route', 'outbox.route', text),
    open: (sealed) => keys.open('route', 'outbox.route', sealed),
    newId: v7,
  });
}
