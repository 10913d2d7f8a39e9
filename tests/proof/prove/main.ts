/** `npm run prove`: the crash proof. Prints what happened and what was lost or doubled, which must be nothing. */

import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { HELP, type Options, readOptions } from './options.ts';
import { figuresOf, isProven, shortfalls, table } from './report.ts';
import { Run } from './run.ts';

/** Setting the stage, calming down and the audit together. Whatever happens, the command ends within this of its `--seconds`. */
const BESIDES_MS = 120_000;

const say = (line: string): void => console.log(line);
let end = (): Promise<void> => Promise.resolve();
let cleanUp = end;
let stopping = false;

/** Then the logs are kept. */
const FAILED = 1;
const INTERRUPTED = 130;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => randomInt(2 ** 32));
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  return options.mutants ? await hunt() : await prove(options);
}

async function prove(options: Options): Promise<number> {
  say(`Seed ${options.seed}`);
  setTimeout(() => stop(FAILED, 'The run did not end in time.'), options.seconds * 1_000 + BESIDES_MS).unref();
  const run = new Run(options, say);
  end = () => run.end();
  cleanUp = () => run.cleanUp();
  const outcome = await run.play();
  const missing = options.long ? shortfalls(outcome) : [];
  const good = isProven(outcome) && missing.length === 0;
  say(`\n${table(outcome)}`);
  for (const each of missing) say(`too little happened: ${each}`);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(figuresOf(outcome), null, 2)}\n`);
  if (!good) say(`\nThe processes' logs are in ${run.folder}.`);
  return good ? 0 : FAILED;
}

async function hunt(): Promise<number> {
  const { huntMutants } = await import('./mutants.ts');
  const survived = await huntMutants(say, (ending) => {
    end = ending;
  });
  return survived === 0 ? 0 : FAILED;
}

/** Ends everything that was started, and then the command. */
function stop(code: number, why: string): void {
  if (stopping) return;
  stopping = true;
  if (why !== '') console.error(why);
  const ended = end().then(() => (code === FAILED ? undefined : cleanUp()));
  void ended.finally(() => process.exit(code));
}

function fail(error: unknown): void {
  stop(FAILED, error instanceof Error ? (error.stack ?? error.message) : String(error));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(INTERRUPTED, 'Interrupted.'));
process.on('uncaughtException', fail);

main().then((code) => stop(code, ''), fail);
