/** Every channel of Lobby keeps the contract. A new channel is one more line here. */

import { v4 } from 'uuid';
import { call, openStream, postJson } from '../support/web-channel.ts';
import { type ChannelUnderTest, type Customer, mustKeepTheContract } from './contract.ts';

interface Shown {
  readonly id: string;
  readonly text?: string;
  readonly from: { readonly role: string };
}

/** Texts of the bank, each activity once. */
function bankTexts(activities: readonly Shown[]): string[] {
  const once = new Map(activities.map((activity) => [activity.id, activity]));
  return [...once.values()].filter(({ from }) => from.role === 'bot').map(({ text }) => text ?? '');
}

const web = (name: string, reads: 'stream' | 'poll'): ChannelUnderTest => ({
  name,
  async open(base): Promise<Customer> {
    const { body: issued } = await postJson(new URL('/api/chat/token', base).href, null, {});
    const begun = await postJson(new URL('/v3/directline/conversations', base).href, issued.token, {});
    const stream = reads === 'stream' ? await openStream(begun.body.streamUrl) : null;
    const address = new URL(`/v3/directline/conversations/${issued.conversationId}/activities`, base).href;
    return {
      conversation: () => Promise.resolve(issued.conversationId),
      leave: () => stream?.socket.terminate(),
      async send(text, idempotencyKey) {
        const channelData = { idempotencyKey, clientActivityID: v4() };
        return (await postJson(address, issued.token, { type: 'message', text, channelData })).status;
      },
      sendRaw: (body) => postJson(address, issued.token, body),
      async heard() {
        return bankTexts(stream ? stream.activities() : (await call(address, issued.token)).body.activities);
      },
    };
  },
});

/** A Bot Framework channel that reads the answer off the response. */
const botFramework: ChannelUnderTest = {
  name: 'Bot Framework',
  open(base) {
    const address = new URL('/api/messages', base).href;
    const [user, conversation] = [v4(), v4()];
    const heard = new Map<string, string[]>();
    return Promise.resolve({
      async conversation(database) {
        const [newest] = await database.query<{ id: string }>(
          `select id from conversation where channel = 'azure' order by created_at desc limit 1`,
        );
        return newest?.id ?? '';
      },
      leave: () => undefined,
      async send(text, key) {
        const { status, body } = await postJson(address, null, {
          type: 'message',
          id: `${conversation}-${key}`,
          text,
          channelId: 'emulator',
          serviceUrl: 'http://127.0.0.1:9',
          deliveryMode: 'expectReplies',
          from: { id: user, name: 'U' },
          recipient: { id: 'bot', name: 'B' },
          conversation: { id: conversation },
        });
        heard.set(
          key,
          (body.activities as Shown[]).map(({ text: answer }) => answer ?? ''),
        );
        return status;
      },
      sendRaw: (body) => postJson(address, null, body),
      heard: () => Promise.resolve([...heard.values()].flat()),
    });
  },
};

mustKeepTheContract(web('web', 'stream'));
mustKeepTheContract(web('web (polling)', 'poll'));
mustKeepTheContract(botFramework);
