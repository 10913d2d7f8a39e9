/** Work that is done again and again: on a nudge, and at the latest after a while. */

import type { Log } from './log.ts';

/** A running loop. */
export interface Loop {
  /** There is work now: do not wait for the poll. */
  nudge(): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

/** Runs `round` until stopped: again at once while it returns true, else after a nudge or `pollMs`. A failing round is logged and waits. */
export function startLoop(
  options: { readonly pollMs: number; readonly log: Log; readonly name: string },
  round: () => Promise<boolean>,
): Loop {
  let stopping = false;
  let nudged = false;
  let wake: () => void = () => undefined;

  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, options.pollMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (nudged || stopping) wake();
    });

  const turn = async (): Promise<boolean> => {
    try {
      return await round();
    } catch (error) {
      options.log.warn(
        { msg_code: 'loop_failed', loop: options.name, err: error },
        'A background round failed and will be tried again.',
      );
      return false;
    }
  };

  const ended = (async () => {
    while (!stopping) {
      nudged = false;
      const more = await turn();
      if (!more && !stopping) await rest();
    }
  })();

  return {
    nudge() {
      nudged = true;
      wake();
    },
    async stop() {
      stopping = true;
      wake();
      await ended;
    },
  };
}
