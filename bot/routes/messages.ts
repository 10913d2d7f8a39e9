/** `POST /api/messages`: Bot Framework channels. */

import type { Server } from 'restify';
import type { BotFramework } from '../../adapters/bot-framework/adapter.ts';
import { CodedError } from '../../adapters/channel.ts';
import { answerJson, comeBackLater, HttpError, readJson } from '../../adapters/http.ts';
import type { Log } from '../log.ts';
import { route } from './route.ts';

export function mountMessages(server: Server, botFramework: BotFramework, log: Log): void {
  route(server, log, 'post', '/api/messages', async (request, response) => {
    const body = await readJson(request);
    try {
      const answer = await botFramework.take(request.headers.authorization ?? '', body);
      answerJson(response, answer?.status ?? 200, answer?.body ?? {});
    } catch (error) {
      throw asHttp(error);
    }
  });
}

function asHttp(error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  switch (error.code) {
    case 'bad_activity':
      return new HttpError(400, error.code, error.message);
    case 'not_authenticated':
      return new HttpError(401, error.code, error.message);
    case 'busy':
      return comeBackLater(429, error.code, error.message, 2);
    case 'unavailable':
      return comeBackLater(503, error.code, error.message, 2);
    default:
      return error;
  }
}
