/** The operator's way in: finds the command, runs it, and says in one sentence what went wrong. */

import { userInfo } from 'node:os';
import { CodedError } from '../../adapters/channel.ts';
import { BackupError } from '../../record/backup-file.ts';
import { MigrationError } from '../../record/database.ts';
import { ConfigError, readConfig } from '../config.ts';
import { scrubError } from '../log.ts';
import { backup } from './backup.ts';
import { type Command, UsageError } from './command.ts';
import { move } from './move.ts';
import { outbox } from './outbox.ts';
import { restore } from './restore.ts';

const commands: Readonly<Record<string, Command>> = { backup, restore, move, outbox };

/** `sysexits.h`: EX_USAGE and EX_CONFIG; and the shell's number for Ctrl-C. */
const EXIT_NOT_DONE = 1;
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;
const EXIT_INTERRUPTED = 130;

/** Signals this close together are one. */
const SAME_SIGNAL_MS = 500;

const exits =
  '\n\nExit codes: 0 done; 1 not done, and a sentence says why; 64 wrong words; 78 wrong settings; 130 interrupted.';

async function main(name: string, words: readonly string[]): Promise<number> {
  const command = commands[name];
  if (!command) {
    complain(`Say which: ${Object.keys(commands).join(', ')}.`);
    return EXIT_USAGE;
  }
  if (words.includes('--help') || words.includes('-h')) {
    say(`${command.help}${exits}`);
    return 0;
  }
  const stopping = stopOnSignal();
  try {
    const tools = {
      config: readConfig(),
      say,
      signal: stopping,
      clock: () => performance.now(),
      operator: userInfo().username,
    };
    await command.run(words, tools);
    return 0;
  } catch (error) {
    if (stopping.aborted) complain('Interrupted; it was not done.');
    else complain(inWords(error));
    if (error instanceof UsageError) complain(`\n${command.help}`);
    return stopping.aborted ? EXIT_INTERRUPTED : exitOf(error);
  }
}

/** The first Ctrl-C ends things in order, a later one at once. npm hands on the one that the terminal has already sent. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController();
  let askedAt = 0;
  const stop = (): void => {
    if (stopping.signal.aborted && performance.now() - askedAt > SAME_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
    if (!stopping.signal.aborted) askedAt = performance.now();
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return stopping.signal;
}

function exitOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_USAGE;
  return error instanceof ConfigError ? EXIT_CONFIG : EXIT_NOT_DONE;
}

function inWords(error: unknown): string {
  if (error instanceof CodedError && error.code === 'database_unknown') {
    return `${error.message} Run it again: if it was done, the database is no longer empty.`;
  }
  if (error instanceof CodedError || error instanceof BackupError || error instanceof MigrationError)
    return error.message;
  const { code, message } = error as { code?: string; message: string };
  switch (code) {
    case '42501':
      return `The login of the database lacks a right: ${message}.`;
    case undefined:
      break;
    default:
      // Its message may quote what a customer said.
      return `It failed with ${code}.\n${JSON.stringify(scrubError(error))}`;
  }
  return `It failed.\n${JSON.stringify(scrubError(error), null, 2)}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

const [name = '', ...words] = process.argv.slice(2);
process.exitCode = await main(name, words);
