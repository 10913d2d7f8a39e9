/** Starts Lobby to be measured: built, as in the demo, on the run's PostgreSQL, with limits no load reaches. */

import type { BotRunner } from '../../../bot/turn.ts';
import { shippedService } from '../shipped.ts';
import type { ServerParts } from './serve.ts';

const NO_LIMIT = '999999999';

/** Resolves to the port. Without `bot` the bank's own assistant answers. */
export async function startLobby({ databaseUrl, folder }: ServerParts, bot?: BotRunner): Promise<number> {
  const { createApp, createLog, readConfig } = await shippedService();
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    RATE_REQUESTS_PER_MINUTE: NO_LIMIT,
    RATE_TOKENS_PER_MINUTE: NO_LIMIT,
    RATE_CONVERSATIONS_PER_MINUTE: NO_LIMIT,
    RATE_POSTS_PER_MINUTE: NO_LIMIT,
  });
  const app = await createApp(config, { log: createLog(config.logLevel), ...(bot && { bot }) });
  return Number(new URL(app.address).port);
}
