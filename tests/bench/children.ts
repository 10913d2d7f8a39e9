/** The processes of one run: each is started here, and none outlives the benchmark. */

import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child } from './ipc.ts';

/** What was started, to be ended in reverse order. */
export class Children {
  readonly #processes = new Set<ChildProcess>();
  readonly #endings: (() => Promise<unknown>)[] = [];
  #ended: Promise<void> | undefined;

  /** Starts one of the benchmark's own programs, with more flags for Node if it needs them. */
  fork(name: string, file: string, flags: readonly string[] = []): Child {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const child = fork(path, {
      execArgv: [...flags, '--import', 'tsx'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#keep(child);
    return new Child(name, child);
  }

  /** Starts another program. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const child = spawn(program, args, options);
    this.#keep(child);
    return child;
  }

  /** Something that must be done before the processes are ended. */
  atEnd(ending: () => Promise<unknown>): void {
    this.#endings.push(ending);
  }

  /** Ends everything, the last started first. Whoever asks again waits for the same end. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    for (const child of [...this.#processes].reverse()) child.kill('SIGKILL');
    for (const ending of [...this.#endings].reverse()) await ending().catch(complain);
  }

  #keep(child: ChildProcess): void {
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
  }
}

function complain(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
}
