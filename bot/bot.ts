/** The assistant as the Bot Framework sees it: which activity means what, and what every turn goes through. */

import { ActivityHandler, type ConversationState, MiddlewareSet, type TurnContext } from 'botbuilder';
import { greet, takeLeave } from '../dialogs/greeting.ts';
import { MainDialog } from '../dialogs/main-dialog.ts';
import { languageChosenIn } from '../dialogs/steering.ts';
import { turnOf } from '../dialogs/turn.ts';
import { recall, visitOf } from '../dialogs/visit.ts';
import type { Language } from '../record/types.ts';
import { labelReplies } from './middleware/label.ts';
import { followLanguage } from './middleware/language.ts';

export { DIALOG_STATE } from '../dialogs/visit.ts';

/** The event a chat page sends when a customer opens it. */
const JOINED = 'webchat/join';

/** Welcomes, listens, takes leave. Whatever it does not know is recorded by the gate and answered with silence. */
export class LobbyBot extends ActivityHandler {
  constructor(main: MainDialog) {
    super();
    this.onMessage(async (context, next) => {
      await main.run(context);
      await next();
    });
    this.onEvent(async (context, next) => {
      if (context.activity.name === JOINED) await welcome(context);
      const language = languageChosenIn(context);
      if (language) await changeLanguage(context, language, main);
      await next();
    });
    this.onMembersAdded(async (context, next) => {
      await welcome(context);
      await next();
    });
    this.onEndOfConversation(async (context, next) => {
      await takeLeave(context);
      await next();
    });
  }
}

/** Once per conversation, and not to somebody who has just taken leave. */
async function welcome(context: TurnContext): Promise<void> {
  const { greeted, over } = visitOf(context);
  if (!greeted && !over) await greet(context);
}

/** Confirmed in words only when something was said before; the page itself shows the choice. */
async function changeLanguage(context: TurnContext, language: Language, main: MainDialog): Promise<void> {
  const { conversation, effects } = turnOf(context);
  if (conversation.languageChosen && conversation.language === language) return;
  if (visitOf(context).greeted) await main.run(context);
  else effects.push({ kind: 'language', language, chosen: true });
}

const middleware = new MiddlewareSet(followLanguage, labelReplies);
const bot = new LobbyBot(new MainDialog());

/**
 * Runs the bot on one turn. The caller has bound the turn to the context, gives it a state of its own,
 * and saves that state afterwards. Nothing here is kept between turns.
 */
export async function runBot(context: TurnContext, state: ConversationState): Promise<void> {
  const { activity } = context;
  // A tapped button of some clients comes as a value without text.
  if (!activity.text && typeof activity.value === 'string') activity.text = activity.value;
  await recall(context, state);
  await middleware.run(context, () => bot.run(context));
}
