/** Labels everything the assistant says as said by a machine, and in which language, whoever shows it. */

import { type Activity, ActivityTypes, type TurnContext } from 'botbuilder';
import { turnOf } from '../../dialogs/turn.ts';
import type { Language } from '../../record/types.ts';

const LOCALES: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-US' };

export async function labelReplies(context: TurnContext, next: () => Promise<void>): Promise<void> {
  context.onSendActivities((sending, activities, send) => {
    for (const activity of activities) label(activity, LOCALES[turnOf(sending).language]);
    return send();
  });
  await next();
}

function label(activity: Partial<Activity>, locale: string): void {
  if (activity.type !== ActivityTypes.Message) return;
  activity.locale = locale;
  activity.channelData = { ...(activity.channelData as object | undefined), ai: true };
}
