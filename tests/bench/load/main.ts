/** The load: a process of its own that speaks to the measured servers over loopback. */

import { answer } from '../ipc.ts';
import { countRoundTrips, usage } from '../usage.ts';
import { type Counted, runWindow, type WindowSize } from '../window.ts';
import { Conversation, Roaming } from './http.ts';
import { beginConversation, type Dialect, type Route, wrongWith } from './posts.ts';
import { openSink } from './sink.ts';

/** One window of load on one server, or on several instances of it. */
export interface LoadOrder extends WindowSize {
  readonly dialect: Dialect;
  readonly ports: readonly [number, ...number[]];
  readonly route: Route;
}

const sink = await openSink();

async function run({ dialect, ports, route, ...size }: LoadOrder): Promise<Counted> {
  const posts = await Promise.all(
    Array.from({ length: size.clients }, (_, index) =>
      beginConversation(dialect, ports[index % ports.length] ?? ports[0], sink.url, index),
    ),
  );
  const conversations = posts.map((post) =>
    route === 'any' ? new Roaming(post, ports, Math.random) : new Conversation(post),
  );
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
answer({ run, usage });
