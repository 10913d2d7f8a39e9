/** Pushes what the outbox holds to channels that need pushing: the oldest of each conversation first, each attempt written down. */

import { CodedError, type Sender } from '../adapters/channel.ts';
import { type Attempt, type LeasedMessage, leaseMessages, settleMessage } from '../record/outbox.ts';
import type { Database } from '../record/types.ts';
import type { Log } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Metrics } from './metrics.ts';

/** How many messages are under way at once, and how long one may take before somebody else may try. */
const AT_ONCE = 16;
const LEASE_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** What the sender works with. */
export interface DeliveryParts {
  readonly database: Database;
  readonly senders: readonly Sender[];
  readonly newId: () => string;
  /** Between 0 and 1: spreads retries. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pollMs: number;
}

/**
 * Starts sending. `nudge` the loop after a commit that queued something: waiting for the poll would only be slower.
 * A message that hangs keeps its own place only: as soon as one is settled, the next of its conversation is taken.
 */
export function startDelivery(parts: DeliveryParts): Loop {
  const outbox = outboxOf(parts.database);
  const underWay = new Set<Promise<void>>();
  const loop = startLoop({ pollMs: parts.pollMs, log: parts.log, name: 'outbox' }, async () => {
    const limit = AT_ONCE - underWay.size;
    if (limit === 0) return false;
    const messages = await outbox.lease({ limit, leaseMs: LEASE_MS, leaseToken: parts.newId() });
    for (const message of messages) {
      const sending = deliver(outbox, parts, message)
        .catch((error: unknown) =>
          parts.log.warn(
            { msg_code: 'outbox_failed', err: error },
            'What became of a message could not be written down.',
          ),
        )
        .finally(() => {
          underWay.delete(sending);
          loop.nudge();
        });
      underWay.add(sending);
    }
    return messages.length > 0;
  });
  return {
    nudge: () => loop.nudge(),
    async stop() {
      await loop.stop();
      await Promise.all(underWay);
    },
  };
}

/** The outbox as the sender uses it: `record/outbox.ts` on a database. */
export interface Outbox {
  lease(options: Parameters<typeof leaseMessages>[1]): Promise<readonly LeasedMessage[]>;
  /** Returns whether the lease was still ours. */
  settle(message: LeasedMessage, attempt: Attempt): Promise<boolean>;
}

/** Sends one batch. Returns whether there may be more. */
export function deliverOnce(parts: DeliveryParts): Promise<boolean> {
  return deliverFrom(outboxOf(parts.database), parts);
}

function outboxOf(database: Database): Outbox {
  return {
    lease: (options) => leaseMessages(database, options),
    settle: (message, attempt) => settleMessage(database, message, attempt),
  };
}

/** Sends one batch of this outbox. Returns whether there may be more. */
export async function deliverFrom(outbox: Outbox, parts: Omit<DeliveryParts, 'database'>): Promise<boolean> {
  const messages = await outbox.lease({ limit: AT_ONCE, leaseMs: LEASE_MS, leaseToken: parts.newId() });
  await Promise.all(messages.map((message) => deliver(outbox, parts, message)));
  return messages.length > 0;
}

async function deliver(outbox: Outbox, parts: Omit<DeliveryParts, 'database'>, message: LeasedMessage): Promise<void> {
  const attempt = await tryToSend(parts, message);
  const ours = await outbox.settle(message, attempt);
  parts.metrics.sent(message.channel, message.class, ours ? attempt.result : 'lease_lost');
}

async function tryToSend(
  { senders, random }: Pick<DeliveryParts, 'senders' | 'random'>,
  message: LeasedMessage,
): Promise<Attempt> {
  const sender = senders.find(({ channel }) => channel === message.channel);
  if (!sender) return { result: 'refused', code: 'no_sender' };
  try {
    const { wireId } = await sender.send(message);
    return { result: 'sent', wireId };
  } catch (error) {
    return attemptOf(error, backOff(message.tries, random()));
  }
}

/** Doubles with every try, half of it at random, so that many messages do not come back at once. */
function backOff(tries: number, random: number): number {
  const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
  return Math.round(longest * (0.5 + random / 2));
}

function attemptOf(error: unknown, afterMs: number): Attempt {
  const code = error instanceof CodedError ? error.code : 'send_failed';
  switch (code) {
    case 'send_refused':
      return { result: 'refused', code };
    case 'send_retry':
      return { result: 'retry', code, afterMs };
    default:
      return { result: 'unknown', code };
  }
}
