/** The load: a process of its own that speaks to the measured servers over loopback. */

import { answer } from '../ipc.ts';
import { countRoundTrips, usage } from '../usage.ts';
import { type Counted, runWindow, type WindowSize } from '../window.ts';
import { Conversation } from './http.ts';
import { beginConversation, type Dialect, wrongWith } from './posts.ts';
import { openSink } from './sink.ts';

/** One window of load on one server. */
export interface LoadOrder extends WindowSize {
  readonly dialect: Dialect;
  readonly port: number;
}

const sink = await openSink();

async function run({ dialect, port, ...size }: LoadOrder): Promise<Counted> {
  const posts = await Promise.all(
    Array.from({ length: size.clients }, (_, index) => beginConversation(dialect, port, sink.url, index)),
  );
  const conversations = posts.map((post) => new Conversation(post));
  const before = sink.received();
  try {
    const counted = await runWindow(size, (client, n, done) => conversations[client]?.post(n, done));
    const sunk = sink.received() - before;
    if (dialect === 'service-url' && sunk !== counted.ran) {
      throw new Error(`${counted.ran} messages were answered by ${sunk} replies.`);
    }
    const wrong = posts[0] ? await wrongWith(dialect, posts[0]) : null;
    if (wrong !== null) throw new Error(wrong);
    return counted;
  } finally {
    for (const conversation of conversations) conversation.close();
  }
}

countRoundTrips();
answer({ run, usage, ready: () => true });
