/** The door of a full house: a message that cannot be taken now is refused before anything is spent on it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerText } from '../http.ts';
import type { Origins } from './origins.ts';
import type { DirectLineMetrics } from './port.ts';

const MESSAGE = /^\/v3\/directline\/conversations\/([^/?]+)\/activities(?:\?|$)/;
/** A longer body is read, or cut off, by the route itself. */
const SMALL = 64 * 1024;
const REFUSAL = JSON.stringify({
  error: { code: 'busy', message: 'Many messages are being answered now. Try again in a moment.' },
});
const RETRY_AFTER_SECONDS = '2';

/** What standing at the door takes. */
export interface DoorParts {
  /** Whether a message of this conversation would be refused now. */
  readonly refuses: (conversationId: string) => boolean;
  readonly origins: Origins;
  readonly metrics: DirectLineMetrics | undefined;
}

/** What the types of restify leave out: handlers before all else, that end the request by returning false. */
interface Untyped {
  first(handler: (request: IncomingMessage, response: ServerResponse) => boolean): void;
}

/**
 * Refuses messages while there is no room, before router, token and body: when far more comes than can be served, what
 * is refused must leave time for what was accepted. Whoever asks need not be known to be told to come back later.
 */
export function guardDoor(server: unknown, { refuses, origins, metrics }: DoorParts): void {
  (server as Untyped).first((request, response) => {
    const conversationId = messageTo(request);
    if (conversationId === undefined || !refuses(conversationId)) return true;
    metrics?.refused('busy');
    answerText(response, 429, REFUSAL, { ...origins.headersFor(request), 'retry-after': RETRY_AFTER_SECONDS });
    return false;
  });
}

function messageTo({ method, url = '', headers }: IncomingMessage): string | undefined {
  if (method !== 'POST' || !(Number(headers['content-length']) <= SMALL)) return undefined;
  return MESSAGE.exec(url)?.[1];
}
