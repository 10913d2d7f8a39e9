/** Baseline: the echo bot on an adapter of its own, which gives the replies back in the response and keeps nothing. */

import {
  type Activity,
  BotAdapter,
  type ConversationReference,
  type ResourceResponse,
  type TurnContext as Turn,
  TurnContext,
} from 'botbuilder';
import type restify from 'restify';
import { echoBot } from './echo-bot.ts';
import { botServer, listen } from './http.ts';
import { serve } from './serve.ts';

const REPLIES = Symbol('replies');

class ReplyingAdapter extends BotAdapter {
  async answer(
    activity: Partial<Activity>,
    logic: (context: Turn) => Promise<void>,
  ): Promise<readonly Partial<Activity>[]> {
    const context = new TurnContext(this, activity);
    const replies: Partial<Activity>[] = [];
    context.turnState.set(REPLIES, replies);
    await this.runMiddleware(context, logic);
    return replies;
  }

  override async sendActivities(context: Turn, activities: Partial<Activity>[]): Promise<ResourceResponse[]> {
    const replies = context.turnState.get<Partial<Activity>[]>(REPLIES);
    return activities.map((activity) => ({ id: String(replies?.push(activity)) }));
  }

  override async updateActivity(): Promise<undefined> {
    throw new Error('The echo bot never changes what it said.');
  }

  override async deleteActivity(): Promise<void> {
    throw new Error('The echo bot never takes back what it said.');
  }

  override async continueConversation(_reference: Partial<ConversationReference>): Promise<void> {
    throw new Error('The echo bot never speaks first.');
  }
}

serve(() => {
  const adapter = new ReplyingAdapter();
  const bot = echoBot();
  const server = botServer();
  server.post('/api/messages', async ({ body }: restify.Request, response: restify.Response) => {
    const activities = await adapter.answer(body, (context) => bot.run(context));
    response.send(200, { activities });
  });
  return listen(server);
});
