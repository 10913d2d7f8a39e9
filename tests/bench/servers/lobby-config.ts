/** How Lobby is set up to be measured: as in the demo, on the run's PostgreSQL, with limits no load reaches. */

import type { Config } from '../../../bot/config.ts';
import { readConfig } from '../../../bot/config.ts';
import type { ServerParts } from './serve.ts';

const NO_LIMIT = '999999999';

export function benchConfig({ databaseUrl, folder }: ServerParts): Config {
  return readConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    RATE_REQUESTS_PER_MINUTE: NO_LIMIT,
    RATE_TOKENS_PER_MINUTE: NO_LIMIT,
    RATE_CONVERSATIONS_PER_MINUTE: NO_LIMIT,
    RATE_POSTS_PER_MINUTE: NO_LIMIT,
  });
}
