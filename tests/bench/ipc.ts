/** Questions from the benchmark to its child processes, and their answers. */

import type { ChildProcess } from 'node:child_process';

interface Question {
  readonly id: number;
  readonly ask: string;
  readonly input: unknown;
}

type Message =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: string }
  | { readonly event: string };

/** What a child can be asked. */
export type Answers = Readonly<Record<string, (input: never) => unknown>>;

/** The child's side. A child whose parent is gone ends at once. */
export function answer(answers: Answers): void {
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group of processes; the parent ends us in order.
  process.on('SIGINT', () => undefined);
  process.on('message', (question: Question) => {
    void respond(answers, question).then((message) => process.send?.(message));
  });
}

async function respond(answers: Answers, { id, ask, input }: Question): Promise<Message> {
  try {
    const act = answers[ask] as ((input: unknown) => unknown) | undefined;
    if (!act) throw new Error(`This process cannot be asked to ${ask}.`);
    return { id, answer: await act(input) };
  } catch (error) {
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Tells the parent that something begins now. */
export function announce(event: string): void {
  process.send?.({ event });
}

/** A child process that answers questions. */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #events = new Map<string, () => void>();
  #questions = 0;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
    child.on('message', (message) => this.#hear(message as Message));
    child.on('exit', (code, signal) => this.#fail(new Error(`${name} ended unexpectedly (${signal ?? code}).`)));
  }

  ask<Answer>(ask: string, input?: unknown): Promise<Answer> {
    this.#questions += 1;
    const id = this.#questions;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#process.send({ id, ask, input } satisfies Question, (error) => error && reject(error));
    });
  }

  /** Calls `act` when the child next announces `event`. */
  once(event: string, act: () => void): void {
    this.#events.set(event, act);
  }

  #hear(message: Message): void {
    if ('event' in message) {
      this.#events.get(message.event)?.();
      this.#events.delete(message.event);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failure' in message) waiting?.reject(new Error(`${this.#name}: ${message.failure}`));
    else waiting?.resolve(message.answer);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
