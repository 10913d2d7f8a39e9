/** What the tests need from the machine beside Node: how each is found, and how it is installed. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Requirement {
  readonly name: string;
  readonly why: string;
  readonly isThere: () => boolean;
  /** The Debian packages that bring it. */
  readonly debian: readonly string[];
  /** What to do where there is no apt. */
  readonly elsewhere: string;
}

const requirements: readonly Requirement[] = [
  {
    name: 'Redis',
    why: 'several instances are tested with a real one',
    isThere: () => findOnPath(['redis-server'], process.env.PATH) !== undefined,
    debian: ['redis-server'],
    elsewhere: 'install Redis so that redis-server is on the PATH',
  },
  {
    name: 'Chromium',
    why: 'the pages are tested in a real browser',
    isThere: () => findChromium() !== undefined,
    debian: ['chromium'],
    elsewhere: 'install Chromium or Google Chrome, or set CHROMIUM to its program file',
  },
  {
    name: 'a Chinese font',
    why: 'the pages are measured and photographed in Chinese',
    isThere: hasChineseFont,
    debian: ['fonts-noto-cjk', 'fontconfig'],
    elsewhere: 'install Noto Sans CJK',
  },
];

/** The browser's program file: the one `CHROMIUM` names, else the first one found. */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (env.CHROMIUM) return existsSync(env.CHROMIUM) ? env.CHROMIUM : undefined;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const onMac = [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return findOnPath(names, env.PATH) ?? onMac.find((file) => existsSync(file));
}

function findOnPath(names: readonly string[], path = ''): string | undefined {
  const files = path.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => existsSync(file));
}

/** Finds everything, installs what is missing where it may, or says in a sentence what is missing. Gives the sentences. */
export function meetRequirements(): string[] {
  const missing = requirements.filter(({ isThere }) => !isThere());
  if (missing.length > 0 && mayInstall()) installDebianPackages(missing.flatMap(({ debian }) => debian));
  return missing.filter(({ isThere }) => !isThere()).map(inWords);
}

function inWords({ name, why, debian, elsewhere }: Requirement): string {
  return `Missing: ${name} (${why}). On Debian: apt-get install ${debian.join(' ')}; elsewhere ${elsewhere}.`;
}

/** Outside Linux the system brings Chinese fonts. */
function hasChineseFont(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return execFileSync('fc-list', [':lang=zh'], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0;
  } catch {
    return false;
  }
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

function installDebianPackages(packages: readonly string[]): void {
  console.log(`Installing ${packages.join(', ')} …`);
  const apt = (...args: string[]) =>
    execFileSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
  } catch {
    console.error('apt-get could not install them.');
  }
}
