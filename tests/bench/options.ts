/** The command lines of `npm run bench`. */

import { parseArgs } from 'node:util';
import { VARIANTS, type Variant } from './variants.ts';

/** What can be asked for. */
export type Command =
  | { readonly name: 'help' }
  | ({ readonly name: 'compare' } & CompareOptions)
  | ({ readonly name: 'sockets' } & SocketsOptions)
  | ({ readonly name: 'overload' } & OverloadOptions);

/** What every command takes. */
export interface CommonOptions {
  readonly json: string | undefined;
  readonly profile: string | undefined;
}

export interface CompareOptions extends CommonOptions {
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly repeats: number;
  readonly variants: readonly Variant[];
}

export interface SocketsOptions extends CommonOptions {
  readonly sockets: number;
}

export interface OverloadOptions extends CommonOptions {
  readonly seconds: number;
  /** How many times what Lobby can do is asked of it. */
  readonly times: number;
  readonly customers: number;
}

export const HELP = `npm run bench -- [options]             Lobby beside its baselines, in turns
npm run bench -- sockets [options]     many idle WebSocket connections on one instance
npm run bench -- overload [options]    more messages than one instance can take

All figures are of this machine and this run. Everything runs on loopback and is ended with the run.

  --json FILE         writes every figure
  --profile FOLDER    writes a CPU profile of each server, and prints where its time goes; the figures suffer
  --help

Beside baselines:
  --clients 1,16,64   conversations at once
  --seconds 2         how long each window over HTTP is; a window inside one process is half as long
  --repeats 3         how often everything is measured; medians and ranges are printed
  --only NAME,…       only these (a goal whose other side is left out is not judged)

sockets:
  --sockets 10000     connections; each needs an open file in two processes (ulimit -n)

overload:
  --seconds 60        how long
  --times 3           so many times the capacity measured just before
  --customers 2000    conversations, each with one message under way at most

Names:
${VARIANTS.map(({ name, what }) => `  ${name.padEnd(22)}${what}`).join('\n')}

A busy machine is warned of and marked in the output. The exit code is 0 when everything answered rightly and every goal
that was measured is met.`;

const COMMON = {
  json: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Reads the arguments; throws with a sentence about the first wrong one. */
export function readCommand([first, ...rest]: readonly string[]): Command {
  if (first === 'sockets') return readSockets(rest);
  if (first === 'overload') return readOverload(rest);
  return readCompare(first === undefined ? rest : [first, ...rest]);
}

function readCompare(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...COMMON,
      clients: { type: 'string', default: '1,16,64' },
      seconds: { type: 'string', default: '2' },
      repeats: { type: 'string', default: '3' },
      only: { type: 'string' },
    },
  });
  if (values.help) return { name: 'help' };
  return {
    name: 'compare',
    clients: values.clients.split(',').map((each) => whole('--clients', each, 1, 1_000)),
    seconds: number('--seconds', values.seconds, 0.1, 600),
    repeats: whole('--repeats', values.repeats, 1, 100),
    variants: chosen(values.only),
    json: values.json,
    profile: values.profile,
  };
}

function readSockets(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: { ...COMMON, sockets: { type: 'string', default: '10000' } },
  });
  if (values.help) return { name: 'help' };
  return {
    name: 'sockets',
    sockets: whole('--sockets', values.sockets, 100, 20_000),
    json: values.json,
    profile: values.profile,
  };
}

function readOverload(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...COMMON,
      seconds: { type: 'string', default: '60' },
      times: { type: 'string', default: '3' },
      customers: { type: 'string', default: '2000' },
    },
  });
  if (values.help) return { name: 'help' };
  return {
    name: 'overload',
    seconds: number('--seconds', values.seconds, 4, 3_600),
    times: number('--times', values.times, 0.1, 20),
    customers: whole('--customers', values.customers, 10, 15_000),
    json: values.json,
    profile: values.profile,
  };
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = number(option, text, least, most);
  if (Number.isInteger(value)) return value;
  throw new Error(`${option} must be a whole number, not ${JSON.stringify(text)}.`);
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new Error(`${option} must be a number from ${least} to ${most}, not ${JSON.stringify(text)}.`);
}

function chosen(only: string | undefined): readonly Variant[] {
  if (only === undefined) return VARIANTS;
  const names = only.split(',');
  const unknown = names.find((name) => !VARIANTS.some((variant) => variant.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no ${JSON.stringify(unknown)}; --help lists the names.`);
  return VARIANTS.filter(({ name }) => names.includes(name));
}
