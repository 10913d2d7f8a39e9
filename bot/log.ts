/** Logs for the operator: what happened, how long it took, never what a customer said. */

import pino, { type Logger } from 'pino';

/** The service's logger. Every line has a `msg_code`; no line has a customer's words, a key or a conversation id. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

/** A logger writing JSON lines to standard output. */
export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: scrubError } });
}

/** What of an error may be written down: its kind and place. A driver's detail and a parser's message can hold a customer's words. */
export function scrubError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const frames = error.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8);
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    stack: frames?.join('\n'),
    ...(error.cause !== undefined && { cause: scrubError(error.cause) }),
  };
}
