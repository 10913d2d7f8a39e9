/** Baseline: restify answering a constant. What any server of ours pays before it does anything. */

import restify from 'restify';
import { listen } from './http.ts';
import { serve } from './serve.ts';

serve(() => {
  const server = restify.createServer();
  server.post('/', (_request, response, next) => {
    response.send(200, { answer: 'ok' });
    next();
  });
  return listen(server);
});
