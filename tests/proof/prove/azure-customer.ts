/** A customer of a Bot Framework channel: posts to `/api/messages`; the answers come to the channel's own address. */

import { createHash } from 'node:crypto';
import { Customer, PATIENCE_MS } from './customer.ts';
import { type Conversation, newMessage, type Sent } from './evidence.ts';
import { ask } from './http.ts';

export class AzureCustomer extends Customer {
  readonly #serviceUrl: string;
  readonly #threads: { readonly thread: string; readonly sent: Sent[] }[] = [];

  constructor(parts: ConstructorParameters<typeof Customer>[0], serviceUrl: string) {
    super(parts);
    this.#serviceUrl = serviceUrl;
  }

  get conversations(): readonly Conversation[] {
    return this.#threads.map(({ thread, sent }) => ({ channel: 'azure', thread, sent }));
  }

  async live(): Promise<void> {
    const { name, closing, messages, random, thinkMs } = this.parts;
    while (!closing.aborted) {
      const thread = { thread: `${name}-${this.#threads.length + 1}`, sent: [] };
      this.#threads.push(thread);
      for (let count = 0; count < messages && !closing.aborted; count += 1) {
        await this.#send(thread);
        await this.rest(thinkMs * random.between(0.2, 1.8));
      }
    }
  }

  async #send({ thread, sent }: { readonly thread: string; readonly sent: Sent[] }): Promise<void> {
    const id = `${thread}-${sent.length + 1}`;
    const message = newMessage(id, azureKey(id), true);
    sent.push(message);
    const activity = {
      type: 'message',
      id,
      text: this.parts.random.pick(this.parts.phrases),
      channelId: 'emulator',
      serviceUrl: this.#serviceUrl,
      from: { id: `user-${thread}` },
      recipient: { id: 'lobby' },
      conversation: { id: thread },
    };
    await this.say(
      message,
      (door) => ask({ method: 'POST', url: `${door}/api/messages`, body: activity, withinMs: PATIENCE_MS }),
      () => null,
    );
  }
}

/** The last part of the key under which the service records a message of this id. */
export function azureKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
