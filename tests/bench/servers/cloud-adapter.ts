/** Baseline: the echo bot on CloudAdapter, as Microsoft's samples run it. The message says where its reply goes. */

import { CloudAdapter, ConfigurationBotFrameworkAuthentication, type Request } from 'botbuilder';
import type restify from 'restify';
import { echoBot } from './echo-bot.ts';
import { botServer, listen } from './http.ts';
import { serve } from './serve.ts';

serve(() => {
  const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
  const bot = echoBot();
  const server = botServer();
  server.post('/api/messages', async (request: restify.Request, response: restify.Response) => {
    await adapter.process(request as Request, response, (context) => bot.run(context));
  });
  return listen(server);
});
