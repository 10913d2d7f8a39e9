/** The echo bot of the Bot Framework's first sample: no state, one reply. */

import { ActivityHandler, MessageFactory } from 'botbuilder';

export function echoBot(): ActivityHandler {
  const bot = new ActivityHandler();
  bot.onMessage(async (context, next) => {
    const text = `echo: ${context.activity.text}`;
    await context.sendActivity(MessageFactory.text(text, text));
    await next();
  });
  return bot;
}
