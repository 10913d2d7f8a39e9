/** Lobby's durable turn behind its real Direct Line endpoint, with a bot that understands nothing. */

import { benchBot } from './bench-bot.ts';
import { serve } from './serve.ts';
import { startLobby } from './start-lobby.ts';

serve((parts) => startLobby(parts, { bot: benchBot }));
