/** Starts Lobby to be measured: built, as in the demo, on the run's PostgreSQL, with rate limits no load reaches. */

import type { AppParts } from '../../../bot/app.ts';
import { shippedService } from '../shipped.ts';
import type { ServerParts } from './serve.ts';

const NO_LIMIT = '999999999';

/** Resolves to the port. Without a bot of its own the bank's assistant answers. One of several works with Redis. */
export async function startLobby(
  { databaseUrl, redisUrl, several, folder }: ServerParts,
  parts: Pick<AppParts, 'bot' | 'commitLanes'> = {},
): Promise<number> {
  const { createApp, createLog, readConfig } = await shippedService();
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    ...(several && { REDIS_URL: redisUrl }),
    RATE_TOKENS_PER_MINUTE: NO_LIMIT,
    RATE_CONVERSATIONS_PER_MINUTE: NO_LIMIT,
    RATE_POSTS_PER_MINUTE: NO_LIMIT,
  });
  const app = await createApp(config, { log: createLog(config.logLevel), ...parts });
  return Number(new URL(app.address).port);
}
