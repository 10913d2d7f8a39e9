/** What a measured process has used so far: CPU, statements sent to PostgreSQL, commands sent to Redis. */

import { Redis } from 'ioredis';
import pg from 'pg';

export interface Usage {
  readonly cpuMs: number;
  readonly statements: number;
  readonly redisCommands: number;
}

let statements = 0;
let redisCommands = 0;
const byStatement = new Map<string, number>();

/** Counts from now on, whoever opens the connections. */
export function countRoundTrips(): void {
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function counted(this: pg.Client, ...args: unknown[]) {
    statements += 1;
    const name = nameOf(args[0]);
    byStatement.set(name, (byStatement.get(name) ?? 0) + 1);
    return (query as (...args: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  const { sendCommand } = Redis.prototype;
  Redis.prototype.sendCommand = function counted(this: Redis, ...args: Parameters<typeof sendCommand>) {
    redisCommands += 1;
    return sendCommand.apply(this, args);
  };
}

export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1_000, statements, redisCommands };
}

/** How often each statement was sent, by its name or its text. */
export function statementCounts(): Readonly<Record<string, number>> {
  return Object.fromEntries(byStatement);
}

function nameOf(query: unknown): string {
  if (typeof query === 'string') return query;
  const { name, text } = query as pg.QueryConfig;
  return name ?? text;
}
