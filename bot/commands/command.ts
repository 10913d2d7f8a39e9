/** What a command of the operator is: words in, lines out, and an exit code that says whether it was done. */

import { parseArgs } from 'node:util';
import { CodedError } from '../../adapters/channel.ts';
import type { Config } from '../config.ts';

/** What a command works with. */
export interface Tools {
  readonly config: Config;
  /** One line to the operator. */
  readonly say: (line: string) => void;
  /** Aborted when the operator wants it to stop. */
  readonly signal: AbortSignal;
  /** Milliseconds that only go forward. */
  readonly clock: () => number;
  /** The operator's name on this machine. */
  readonly operator: string;
}

/** One program an operator runs: `npm run <name> -- <words>`. */
export interface Command {
  /** Printed by `--help`, and by words that are not understood. */
  readonly help: string;
  /** Resolves when it was done; rejects with a sentence when it was not. */
  run(words: readonly string[], tools: Tools): Promise<void>;
}

/** The words of the command line do not make sense. */
export class UsageError extends CodedError {
  constructor(message: string) {
    super('usage', message);
    this.name = 'UsageError';
  }
}

/** The value of the one option a command needs, such as `--to FILE`. */
export function readOption(words: readonly string[], name: string, meaning: string): string {
  const { [name]: value } = readOptions(words, [name]).values;
  if (!value) throw new UsageError(`--${name} ${meaning} is missing.`);
  return value;
}

/** Options with a value, and the words beside them where a command takes any. */
export function readOptions(
  words: readonly string[],
  names: readonly string[],
  takesWords = false,
): { readonly values: Readonly<Record<string, string | undefined>>; readonly words: readonly string[] } {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: takesWords });
    return { values: values as Record<string, string | undefined>, words: positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
