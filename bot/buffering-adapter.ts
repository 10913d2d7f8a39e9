/** The Bot Framework adapter every turn runs on: it holds what the bot says until the turn's commit has recorded it. */

import { type Activity, ActivityTypes, BotAdapter, type ResourceResponse, TurnContext } from 'botbuilder';

const BUFFER = Symbol('lobby.buffer');

/**
 * Runs the bot on one activity and keeps its replies. Nothing is sent from here: replies leave Lobby only
 * after they are in the record, by the customer's own connection or the outbox.
 */
export class BufferingAdapter extends BotAdapter {
  /** Runs middleware and `logic` for one activity; returns what the bot said, in order. */
  async run(
    activity: Partial<Activity>,
    prepare: (context: TurnContext) => void,
    logic: (context: TurnContext) => Promise<void>,
  ): Promise<readonly Partial<Activity>[]> {
    const context = new TurnContext(this, activity);
    const said: Partial<Activity>[] = [];
    context.turnState.set(BUFFER, said);
    prepare(context);
    await this.runMiddleware(context, logic);
    return said;
  }

  override sendActivities(context: TurnContext, activities: Partial<Activity>[]): Promise<ResourceResponse[]> {
    const said = context.turnState.get(BUFFER) as Partial<Activity>[];
    const responses = activities.map((activity): ResourceResponse => {
      switch (activity.type) {
        // A trace carries the whole dialog memory; typing and pauses mean nothing once the answer is there.
        case ActivityTypes.Trace:
        case ActivityTypes.Typing:
        case 'delay':
          return { id: '' };
        default:
          said.push(activity);
          return { id: `p:${said.length}` };
      }
    });
    return Promise.resolve(responses);
  }

  override updateActivity(): Promise<void> {
    return Promise.reject(new Error('A recorded message is never changed: send another one.'));
  }

  override deleteActivity(): Promise<void> {
    return Promise.reject(new Error('A recorded message is never deleted.'));
  }

  /** Part of the Bot Framework's contract; Lobby speaks first through turns of its own, never through this. */
  override continueConversation(): Promise<void> {
    return Promise.reject(new Error('Proactive messages are turns with their own cause; use the turn gate.'));
  }
}
