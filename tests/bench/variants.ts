/** Everything that is measured, in the order of a round. */

import type { Inside } from './inside/main.ts';
import type { Dialect, Route } from './load/posts.ts';

interface Named {
  readonly name: string;
  readonly what: string;
  /** Which extra work belongs to a turn of it. */
  readonly uses: readonly ('postgres' | 'redis')[];
}

/** A server spoken to over HTTP. */
export interface HttpVariant extends Named {
  readonly over: 'http';
  readonly server: string;
  readonly dialect: Dialect;
  /** How many processes of the server share one database and one Redis; one alone has no Redis. */
  readonly instances?: number;
  /** Where each message of a conversation goes: to the instance it began at, or to any. */
  readonly route?: Route;
  /** With fewer clients there is nothing to share. */
  readonly leastClients?: number;
}

/** Work done inside one process, over the same PostgreSQL. */
export interface InsideVariant extends Named {
  readonly over: 'inside';
  readonly work: Inside;
  /** Where more clients would only wait for each other. */
  readonly mostClients?: number;
}

export type Variant = HttpVariant | InsideVariant;

export const VARIANTS = [
  {
    name: 'restify',
    what: 'restify answering a constant',
    over: 'http',
    server: 'restify',
    dialect: 'constant',
    uses: [],
  },
  {
    name: 'bot-adapter',
    what: 'echo bot on a BotAdapter of its own, reply in the response, nothing kept',
    over: 'http',
    server: 'bot-adapter',
    dialect: 'reply-in-response',
    uses: [],
  },
  {
    name: 'cloud-service-url',
    what: 'echo bot on CloudAdapter, reply through serviceUrl, nothing kept',
    over: 'http',
    server: 'cloud-adapter',
    dialect: 'service-url',
    uses: [],
  },
  {
    name: 'cloud-expect-replies',
    what: 'echo bot on CloudAdapter, expectReplies, nothing kept',
    over: 'http',
    server: 'cloud-adapter',
    dialect: 'expect-replies',
    uses: [],
  },
  {
    name: 'naive',
    what: 'durable turn as usually written: Redis lock, one transaction of small statements',
    over: 'http',
    server: 'naive',
    dialect: 'naive',
    uses: ['postgres', 'redis'],
  },
  {
    name: 'lobby',
    what: 'Lobby’s durable turn over Direct Line, a bot without understanding',
    over: 'http',
    server: 'lobby',
    dialect: 'lobby',
    uses: ['postgres'],
  },
  {
    name: 'lobby-single',
    what: 'the same without group commit: each turn commits by itself',
    over: 'http',
    server: 'lobby-single',
    dialect: 'lobby',
    uses: ['postgres'],
  },
  {
    name: 'lobby-2',
    what: 'two instances and Redis; a conversation stays on one',
    over: 'http',
    server: 'lobby',
    dialect: 'lobby',
    instances: 2,
    leastClients: 16,
    uses: ['postgres', 'redis'],
  },
  {
    name: 'lobby-3',
    what: 'three instances and Redis; a conversation stays on one',
    over: 'http',
    server: 'lobby',
    dialect: 'lobby',
    instances: 3,
    leastClients: 16,
    uses: ['postgres', 'redis'],
  },
  {
    name: 'lobby-3-any',
    what: 'three instances and Redis; each message goes to any of them',
    over: 'http',
    server: 'lobby',
    dialect: 'lobby',
    instances: 3,
    route: 'any',
    leastClients: 16,
    uses: ['postgres', 'redis'],
  },
  {
    name: 'lobby-answering',
    what: 'Lobby as shipped: a question answered from an article',
    over: 'http',
    server: 'lobby-answering',
    dialect: 'lobby-answering',
    uses: ['postgres'],
  },
  {
    name: 'fdatasync',
    what: '8 KB written and put on the disk',
    over: 'inside',
    work: 'fdatasync',
    mostClients: 1,
    uses: [],
  },
  { name: 'select-1', what: 'select 1', over: 'inside', work: 'select-1', uses: ['postgres'] },
  {
    name: 'commit-one-row',
    what: 'one row inserted and committed',
    over: 'inside',
    work: 'commit-one-row',
    uses: ['postgres'],
  },
  {
    name: 'commit-naive',
    what: 'the naive durable turn, without HTTP',
    over: 'inside',
    work: 'commit-naive',
    uses: ['postgres', 'redis'],
  },
  {
    name: 'commit-turn',
    what: 'Lobby’s commit of a turn with two outbox rows, each by itself, without HTTP',
    over: 'inside',
    work: 'commit-turn',
    uses: ['postgres'],
  },
  {
    name: 'commit-turn-group',
    what: 'the same through the commit lane: turns of different conversations share a commit',
    over: 'inside',
    work: 'commit-turn-group',
    uses: ['postgres'],
  },
] as const satisfies readonly Variant[];

export type VariantName = (typeof VARIANTS)[number]['name'];
