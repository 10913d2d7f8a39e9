/** What the programs of the load share: many chats begun side by side, and the address of a chat's stream. */

import type { Chat } from './posts.ts';

/** Does `work` on every item, `atOnce` of them at a time. */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** As a client comes back to its chat: an address for one socket, good for a minute. */
export async function connectionOf(
  port: number,
  { conversationId, token }: Chat,
): Promise<{ readonly streamUrl: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/v3/directline/conversations/${conversationId}`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`The stream's address was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as { streamUrl: string };
}
