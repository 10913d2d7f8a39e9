/** Where a server's CPU time went: the functions that spent most of it themselves. */

import { readdir, readFile } from 'node:fs/promises';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';

const MOST = 20;

/** Waiting, and the profiler's own start. */
const NOT_OURS = ['(idle)', 'dispatch'];

/** A table for each profile in the folder. */
export async function hotSpots(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile')).sort();
  const parts = await Promise.all(
    files.map(async (file) => {
      const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profiler.Profile;
      return `\n${file}: self time, share of the time not idle\n${topSelf(profile).join('\n')}`;
    }),
  );
  return parts.join('\n');
}

/** The busiest functions, busiest first, as lines of a table. */
export function topSelf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): readonly string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const spent = new Map<string, number>();
  samples.forEach((node, index) => {
    const name = names.get(node) ?? '(unknown)';
    spent.set(name, (spent.get(name) ?? 0) + Math.max(0, timeDeltas[index] ?? 0));
  });
  for (const name of NOT_OURS) spent.delete(name);
  const all = [...spent.values()].reduce((sum, each) => sum + each, 0);
  const busiest = [...spent].sort(([, a], [, b]) => b - a).slice(0, MOST);
  return busiest.map(([name, time]) => `  ${((time / all) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string {
  const place = url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^file:\/\/.*?\/(?=(adapters|bot|dialogs|knowledge|record|tests)\/)/, '');
  return url === '' ? functionName : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
}
