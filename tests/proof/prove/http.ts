/** One HTTP request of a customer: a connection of its own, and anything but a whole answer in time is a failure. */

import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly token?: string;
  readonly body?: object;
  readonly withinMs: number;
}

/** Rejects when the connection broke, the answer was cut short, or none came in time. */
export function ask({ method, url, token, body, withinMs }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const asking = request(url, {
      method,
      agent: false,
      headers: {
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    });
    const guard = setTimeout(() => asking.destroy(new Error('No answer in time.')), withinMs);
    asking.on('error', reject);
    asking.on('close', () => {
      clearTimeout(guard);
      reject(new Error('The connection was closed before the end of the answer.'));
    });
    asking.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject).on('end', () => {
        if (!response.complete) reject(new Error('The answer was cut short.'));
        else resolve(toAnswer(response.statusCode ?? 0, response.headers['retry-after'], text));
      });
    });
    asking.end(payload);
  });
}

function toAnswer(status: number, retryAfter: string | undefined, text: string): Answer {
  return { status, retryAfterMs: Number(retryAfter ?? 0) * 1_000, body: parsed(text) };
}

function parsed(text: string): Answer['body'] {
  try {
    return JSON.parse(text) as Answer['body'];
  } catch {
    return {};
  }
}
