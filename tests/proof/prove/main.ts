/** `npm run prove`: the crash proof. Prints what happened and what was lost or doubled, which must be nothing. */

import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { HELP, type Options, readOptions } from './options.ts';
import { figuresOf, isProven, shortfalls, table } from './report.ts';
import { Run } from './run.ts';

/** Setting the stage, calming down and the audit together. Whatever happens, the command ends within this of its `--seconds`. */
const BESIDES_MS = 150_000;

let run: Run | undefined;
let interrupted = false;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => randomInt(2 ** 32));
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  console.log(`Seed ${options.seed}`);
  setTimeout(() => stop(1, 'The run did not end in time.'), options.seconds * 1_000 + BESIDES_MS).unref();
  return await prove(options);
}

async function prove(options: Options): Promise<number> {
  run = new Run(options, (line) => console.log(line));
  try {
    const outcome = await run.play();
    const missing = options.long ? shortfalls(outcome) : [];
    const good = isProven(outcome) && missing.length === 0;
    console.log(`\n${table(outcome)}`);
    for (const each of missing) console.log(`too little happened: ${each}`);
    if (options.json !== null) await writeFile(options.json, `${JSON.stringify(figuresOf(outcome), null, 2)}\n`);
    await run.end();
    if (good) await run.cleanUp();
    else console.log(`\nThe processes' logs are in ${run.folder}.`);
    return good ? 0 : 1;
  } finally {
    await run.end();
  }
}

function stop(code: number, why: string): void {
  if (interrupted) return;
  interrupted = true;
  console.error(why);
  const ended = run?.end().then(() => run?.cleanUp());
  void Promise.resolve(ended).finally(() => process.exit(code));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(130, 'Interrupted.'));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    // What was under way when everything was ended has failed, of course.
    if (interrupted) return;
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
