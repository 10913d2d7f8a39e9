/** The real turn gate in front of a bot that says back what it hears: for tests of channels, not of what is said. */

import { type Activity, ActivityTypes } from 'botbuilder';
import { v7 as newId } from 'uuid';
import type { Wake } from '../../adapters/channel.ts';
import { createMetrics } from '../../bot/metrics.ts';
import { type BotAnswer, type BotRunner, type TurnLimits, Turns } from '../../bot/turn.ts';
import { within } from '../../bot/within.ts';
import { createTurnRecord } from '../../record/conversations.ts';
import type { Database } from '../../record/types.ts';
import { silentLog } from './log.ts';

/** A bot whose next answers a test can hold back. */
export interface EchoBot extends BotRunner {
  /** From now on the bot keeps its answers until the returned function is called. */
  holdBack(): () => void;
}

/** Answers `echo: …` to every message; to `chips` with two suggested actions on the last of two messages; to events with nothing. */
export function createEchoBot(): EchoBot {
  let held = Promise.resolve();
  return {
    holdBack() {
      let release = (): void => undefined;
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    async run(activity): Promise<BotAnswer> {
      await held;
      return { replies: repliesTo(activity), state: null, effects: [] };
    },
    apologise: () => ({ replies: [], state: null, effects: [] }),
  };
}

function repliesTo(activity: Partial<Activity>): Partial<Activity>[] {
  const said = (text: string, more: object = {}): Partial<Activity> => ({ type: ActivityTypes.Message, text, ...more });
  if (activity.type !== 'message') return [];
  if (activity.text !== 'chips') return [said(`echo: ${activity.text ?? JSON.stringify(activity.value ?? null)}`)];
  const actions = ['one', 'two'].map((title) => ({ type: 'imBack', title, value: title }));
  return [said('choose'), said('one of these', { suggestedActions: { to: [], actions }, inputHint: 'expectingInput' })];
}

/** The turn gate on a real database. */
export function createEchoGate(parts: {
  database: Database;
  wake: Wake;
  bot?: BotRunner;
  limits?: Partial<TurnLimits>;
}): Turns {
  const { database, ...rest } = parts;
  return new Turns({
    record: createTurnRecord(database, 'Asia/Shanghai'),
    bot: createEchoBot(),
    masker: { mask: (activity) => ({ activity, erased: [] }), maskRest: (_recent, text) => ({ text, erased: [] }) },
    log: silentLog,
    metrics: createMetrics(),
    newId,
    within,
    ...rest,
  });
}
