/** Lobby's durable turn behind its real Direct Line endpoint. The bot understands nothing: two replies, one kilobyte of state. */

import type { BotAnswer, BotRunner } from '../../../bot/turn.ts';
import { benchState } from '../turn.ts';
import { serve } from './serve.ts';
import { startLobby } from './start-lobby.ts';

const bot: BotRunner = {
  async run(activity, conversation): Promise<BotAnswer> {
    const turns = Number(conversation.state.turns ?? 0) + 1;
    const replies = [1, 2].map((n) => ({ type: 'message', text: `echo ${n}: ${activity.text}` }));
    return { replies, state: { ...benchState(turns) }, effects: [] };
  },
  apologise() {
    throw new Error('The bench bot never fails.');
  },
};

serve((parts) => startLobby(parts, bot));
