/** Lobby as it is shipped: a question is understood and answered from an article. */

import { createApp } from '../../../bot/app.ts';
import { createLog } from '../../../bot/log.ts';
import { benchConfig } from './lobby-config.ts';
import { serve } from './serve.ts';

serve(async (parts) => {
  const config = benchConfig(parts);
  const app = await createApp(config, { log: createLog(config.logLevel) });
  return Number(new URL(app.address).port);
});
