/** The machine a run is made on: what it is, how busy it is, and what CPU its processes have used. */

import { execFile } from 'node:child_process';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Linux's magic number of a file system in memory. */
const TMPFS = 0x01021994;

/** Above this share of all cores, somebody else's work is too much to measure beside. */
const QUIET_SHARE = 0.25;

/** How busy the machine is with everything. */
export interface Business {
  /** Over the last minute; 0 on Windows, which has no such figure. */
  readonly load: number;
  /** Share of all cores in use over one second. */
  readonly share: number;
}

export async function lookAround(): Promise<Business> {
  const before = cpuTimes();
  await pause(1_000);
  const after = cpuTimes();
  return { load: loadavg()[0] ?? 0, share: (after.busyMs - before.busyMs) / (after.allMs - before.allMs) };
}

/** Sentences on why figures taken now are doubtful. None when the machine is quiet. */
export function doubts({ load, share }: Business): readonly string[] {
  const half = cpus().length / 2;
  return [
    ...(load > half ? [`the load average is ${load.toFixed(1)} on ${cpus().length} cores`] : []),
    ...(share > QUIET_SHARE ? [`other processes use ${Math.round(share * 100)} % of the cores`] : []),
  ];
}

export function coreCount(): number {
  return cpus().length;
}

/** What all cores have spent working, this process and everybody else's, in milliseconds. */
export function busyCpuMs(): number {
  return cpuTimes().busyMs;
}

function cpuTimes(): { readonly busyMs: number; readonly allMs: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { busyMs: all - idle, allMs: all };
}

export async function isInMemory(folder: string): Promise<boolean> {
  return process.platform === 'linux' && (await statfs(folder)).type === TMPFS;
}

/** CPU milliseconds used so far by a process and its children, living and dead. Null where there is no /proc. */
export async function familyCpuMs(pid: number, ticksPerSecond: number): Promise<number | null> {
  const stats = await allStats();
  if (!stats) return null;
  const family = stats.filter((stat) => stat.pid === pid || stat.parent === pid);
  const ticks = family.reduce((sum, stat) => sum + stat.ticks + (stat.pid === pid ? stat.deadChildrenTicks : 0), 0);
  return (ticks / ticksPerSecond) * 1_000;
}

/** How many ticks /proc counts in a second. */
export async function clockTicks(): Promise<number> {
  return run('getconf', ['CLK_TCK']).then(
    ({ stdout }) => Number(stdout),
    () => 100,
  );
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  readonly deadChildrenTicks: number;
}

async function allStats(): Promise<readonly Stat[] | null> {
  const names = await readdir('/proc').catch(() => null);
  if (!names) return null;
  const pids = names.filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return texts.filter((text) => text !== '').map(readStat);
}

/** Fields are counted from behind the command, which may hold blanks and brackets. */
function readStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const at = (index: number): number => Number(fields[index]);
  return {
    pid: Number.parseInt(text, 10),
    parent: at(1),
    ticks: at(11) + at(12),
    deadChildrenTicks: at(13) + at(14),
  };
}
