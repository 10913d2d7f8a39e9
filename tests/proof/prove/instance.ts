/** One process of Lobby that is killed over and over and started again each time, behind a proxy whose port stays. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultProxy } from '../proxy.ts';
import type { Random } from './random.ts';

/** How an instance is started and how it says that it listens. */
export interface Kind {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Resolves to the port it listens on. */
  listening(child: ChildProcess): Promise<number>;
}

const STARTS_WITHIN_MS = 60_000;

/** Ends the process when its parent is gone: nothing outlives the proof. */
const ENDS_WITH_PARENT = `data:text/javascript,process.on('disconnect',()=>process.kill(process.pid,'SIGKILL'))`;

export class Instance {
  readonly name: string;
  readonly logFile: string;
  /** Listening, and not killed since. */
  up = false;
  /** Deaths nobody ordered: it gave up by itself, as it does when PostgreSQL is away at its start. */
  gaveUp = 0;
  readonly #kind: Kind;
  readonly #front: FaultProxy;
  readonly #random: Random;
  readonly #log: WriteStream;
  readonly #running: Promise<void>;
  #child: ChildProcess | null = null;
  #ending = false;

  /** Starts at once. `cameUp` is called each time it listens, `died` each time it was killed by a signal. */
  constructor(parts: {
    readonly name: string;
    readonly kind: Kind;
    readonly front: FaultProxy;
    readonly random: Random;
    readonly logFile: string;
    readonly cameUp?: (send: (message: object) => void) => void;
    readonly died?: () => void;
  }) {
    this.name = parts.name;
    this.logFile = parts.logFile;
    this.#kind = parts.kind;
    this.#front = parts.front;
    this.#random = parts.random;
    this.#log = createWriteStream(parts.logFile);
    this.#running = this.#live(parts.cameUp ?? nothing, parts.died ?? nothing);
  }

  /** `kill -9`. False when there is nothing to kill just now. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.kill();
    await this.#running;
    this.#log.end();
  }

  async #live(cameUp: (send: (message: object) => void) => void, died: () => void): Promise<void> {
    while (!this.#ending) {
      const child = this.#start();
      const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
      const port = await Promise.race([
        this.#kind.listening(child),
        exited.then(() => null),
        pause(STARTS_WITHIN_MS, null, { ref: false }),
      ]);
      const tooSlow = port === null && child.kill('SIGKILL');
      if (port !== null) {
        this.#front.target = port;
        this.up = child.signalCode === null;
        cameUp((message) => child.connected && child.send(message, nothing));
      }
      const [, signal] = await exited;
      this.#child = null;
      this.up = false;
      this.#front.target = 0;
      if (this.#ending) return;
      const killed = signal !== null && !tooSlow;
      if (killed) died();
      else this.gaveUp += 1;
      await pause(this.#random.between(20, killed ? 250 : 500));
    }
  }

  #start(): ChildProcess {
    const child = fork(this.#kind.program, {
      execArgv: ['--import', ENDS_WITH_PARENT],
      // Nothing of our own environment: it may hold settings of Lobby.
      env: { PATH: process.env.PATH, ...this.#kind.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.on('error', nothing);
    child.stdout?.on('data', (chunk) => this.#log.write(chunk));
    child.stderr?.on('data', (chunk) => this.#log.write(chunk));
    this.#child = child;
    return child;
  }
}

function nothing(): void {}
