/** The same turn with group commit off: every turn is a commit of its own. */

import { benchBot } from './bench-bot.ts';
import { serve } from './serve.ts';
import { startLobby } from './start-lobby.ts';

serve((parts) => startLobby(parts, { bot: benchBot, commitLanes: 0 }));
