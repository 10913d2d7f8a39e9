/** The end of the service: everything in the opposite order of its beginning, and nobody cut off in mid-sentence. */

import type { Server as HttpServer } from 'node:http';

/** What has to be ended, in the opposite order of its beginning. */
export class Ending {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }
}

/** The way in. Shut first and closed last: what is inside is finished in between, and only then are lines cut. */
export class Door {
  readonly #server: HttpServer;
  #closing: Promise<void> | null = null;

  constructor(server: HttpServer) {
    this.#server = server;
  }

  /** Nobody comes in any more; who is inside stays. */
  shut(): void {
    this.#closing ??= new Promise((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
  }

  /** Resolves when everybody has left. */
  async closed(): Promise<void> {
    this.#server.closeAllConnections();
    await this.#closing;
  }
}
