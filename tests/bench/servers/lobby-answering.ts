/** Lobby as it is shipped: a question is understood and answered from an article. */

import { serve } from './serve.ts';
import { startLobby } from './start-lobby.ts';

serve((parts) => startLobby(parts));
