/** The outside channel that pushed messages go to: takes them, refuses them for now, or takes them without saying so. */

import { CodedError, type Sender } from '../../../adapters/channel.ts';
import { isOpen } from './model-record.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** A message that arrived, by the row it carries. */
export interface Arrival {
  readonly conversationId: string;
  readonly seq: number;
}

export class OutsideChannel {
  readonly arrivals: Arrival[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The sender of one instance. */
  senderOf(process: Process): Sender {
    return {
      channel: 'azure',
      send: ({ activities }) => {
        if (!process.leaves('sending')) return new Promise(() => undefined);
        const { chaos, timeline } = this.#world;
        return new Promise((resolve, reject) => {
          const fail = (code: string): void =>
            process.resume(chaos.delay(), code, () => reject(new CodedError(code, 'It went wrong.')));
          const arrive = (): void => {
            for (const { conversationId, seq, body } of activities) this.#take({ conversationId, seq }, body.text);
          };
          if (chaos.loses()) {
            fail('send_retry');
            return;
          }
          const cut = chaos.loses();
          if (cut) fail('send_failed');
          timeline.after(chaos.delay(), () => {
            arrive();
            if (!cut) process.resume(chaos.delay(), 'sent', () => resolve({ wireId: null }));
          });
        });
      },
    };
  }

  #take(arrival: Arrival, text: unknown): void {
    const { record } = this.#world;
    const { conversationId, seq } = arrival;
    const row = record.conversations.get(conversationId)?.rows.find((candidate) => candidate.seq === seq);
    if (!row || row.body.text !== text || row.direction !== 'out')
      this.#world.violated('Something left Lobby that is not recorded.');
    const overtaken = record.outbox.some(
      (message) => message.conversationId === conversationId && message.seqTo < seq && isOpen(message),
    );
    if (overtaken) this.#world.violated('A message left before an earlier one of its conversation was settled.');
    this.arrivals.push(arrival);
  }
}
