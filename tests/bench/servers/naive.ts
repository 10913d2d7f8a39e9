/** Baseline: the naive durable turn behind restify. */

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import type restify from 'restify';
import { beginNaive, NAIVE_TABLES, naiveTurn } from '../naive-turn.ts';
import { botServer, listen } from './http.ts';
import { serve } from './serve.ts';

serve(async ({ databaseUrl, redisUrl }) => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(NAIVE_TABLES);
  const redis = new Redis(redisUrl);
  const server = botServer();
  server.post('/conversations', async (_request: restify.Request, response: restify.Response) => {
    const id = randomUUID();
    await beginNaive(pool, id);
    response.send(201, { id });
  });
  server.post(
    '/conversations/:id/activities',
    async ({ params, body }: restify.Request, response: restify.Response) => {
      const seq = await naiveTurn(pool, redis, params.id, body);
      response.send(200, { id: `${params.id}|${seq}` });
    },
  );
  return listen(server);
});
