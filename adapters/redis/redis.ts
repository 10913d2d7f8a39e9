/** The connection to Redis: what several instances tell each other by. Nothing is ever acknowledged or decided on its word. */

import { Redis, type RedisOptions } from 'ioredis';
import { CodedError } from '../channel.ts';

/** One Redis, as the parts of this folder use it. */
export interface RedisLink {
  /** For commands. Fails fast: it neither queues while disconnected nor waits. */
  readonly commands: Redis;
  /** For the subscription, which needs a connection of its own. */
  readonly listening: Redis;
  /** False while Redis does not answer, or has just failed to. */
  readonly up: boolean;
  /** Runs a command; undefined when Redis is away, slow, or resting after a failure. Never throws. */
  try<Result>(command: (redis: Redis) => Promise<Result>): Promise<Result | undefined>;
  close(): void;
}

/** A command that takes longer has failed: a frozen Redis must not slow a turn down. */
const COMMAND_MS = 100;
/** After a failure Redis is left alone for this long, so that each turn does not pay the time-out again. */
const REST_MS = 1_000;
const LONGEST_RECONNECT_MS = 2_000;

type Options = Omit<RedisOptions, 'replyMapping'>;

/** What {@link openRedis} tells its owner. */
export interface RedisEvents {
  /** Redis answers again, or no longer does. */
  changed(up: boolean): void;
}

/**
 * Opens the two connections. Does not wait for Redis: without it everything works, slower.
 * Throws `redis_url_unusable` for an address that cannot be one.
 */
export function openRedis(url: string, events: RedisEvents, now: () => number): RedisLink {
  const options: Options = {
    enableOfflineQueue: false,
    commandTimeout: COMMAND_MS,
    connectTimeout: LONGEST_RECONNECT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times: number) => Math.min(LONGEST_RECONNECT_MS, 100 * times),
  };
  const commands = connect(url, options);
  // The subscription waits for Redis as long as it takes, and is renewed with the connection.
  const { commandTimeout: _, ...patient } = options;
  const listening = connect(url, { ...patient, enableOfflineQueue: true, maxRetriesPerRequest: null });
  let restUntil = 0;
  let wasUp = false;
  const isUp = (): boolean => commands.status === 'ready' && now() >= restUntil;
  const tell = (): void => {
    const up = isUp();
    if (up !== wasUp) events.changed(up);
    wasUp = up;
  };
  for (const connection of [commands, listening]) connection.on('error', tell);
  commands.on('ready', tell).on('close', tell);

  return {
    commands,
    listening,
    get up() {
      return isUp();
    },
    async try(command) {
      if (!isUp()) return undefined;
      try {
        const result = await command(commands);
        tell();
        return result;
      } catch {
        restUntil = now() + REST_MS;
        tell();
        return undefined;
      }
    },
    close() {
      commands.disconnect();
      listening.disconnect();
    },
  };
}

function connect(url: string, options: Options): Redis {
  try {
    return new Redis(url, options);
  } catch (cause) {
    throw new CodedError(
      'redis_url_unusable',
      'REDIS_URL is not an address of a Redis, such as redis://127.0.0.1:6379.',
      { cause },
    );
  }
}
