/** A bot that understands nothing: two replies and one kilobyte of state, so that what is measured is the turn. */

import type { BotAnswer, BotRunner } from '../../../bot/turn.ts';
import { benchState } from '../turn.ts';

export const benchBot: BotRunner = {
  async run(activity, conversation): Promise<BotAnswer> {
    const turns = Number(conversation.state.turns ?? 0) + 1;
    const replies = [1, 2].map((n) => ({ type: 'message', text: `echo ${n}: ${activity.text}` }));
    return { replies, state: { ...benchState(turns) }, effects: [] };
  },
  apologise() {
    throw new Error('The bench bot never fails.');
  },
};
