/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util';
import { VARIANTS, type Variant } from './variants.ts';

export interface Options {
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly repeats: number;
  readonly variants: readonly Variant[];
  readonly json: string | undefined;
  readonly profile: string | undefined;
}

export const HELP = `npm run bench -- [options]

Measures Lobby beside its baselines, in turns, on this machine. Everything runs on loopback and is ended with the run.

  --clients 1,16,64   conversations at once
  --seconds 2.5       how long each window over HTTP is; a window inside one process is half as long
  --repeats 3         how often everything is measured; medians and ranges are printed
  --only NAME,…       only these (a goal whose other side is left out is not judged)
  --json FILE         writes every figure of every repeat
  --profile FOLDER    writes a CPU profile of each server, and prints where its time goes; the figures suffer
  --help

Names:
${VARIANTS.map(({ name, what }) => `  ${name.padEnd(22)}${what}`).join('\n')}

A busy machine is warned of and marked in the output. The exit code is 0 when everything answered rightly and every goal
that was measured is met.`;

/** Reads the arguments; throws with a sentence about the first wrong one. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '1,16,64' },
      seconds: { type: 'string', default: '2.5' },
      repeats: { type: 'string', default: '3' },
      only: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    clients: values.clients.split(',').map((each) => number('--clients', each, 1, 1_000)),
    seconds: number('--seconds', values.seconds, 0.1, 600),
    repeats: number('--repeats', values.repeats, 1, 100),
    variants: chosen(values.only),
    json: values.json,
    profile: values.profile,
  };
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most && (option === '--seconds' || Number.isInteger(value)))
    return value;
  throw new Error(`${option} must be a number from ${least} to ${most}, not ${JSON.stringify(text)}.`);
}

function chosen(only: string | undefined): readonly Variant[] {
  if (only === undefined) return VARIANTS;
  const names = only.split(',');
  const unknown = names.find((name) => !VARIANTS.some((variant) => variant.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no ${JSON.stringify(unknown)}; --help lists the names.`);
  return VARIANTS.filter(({ name }) => names.includes(name));
}
