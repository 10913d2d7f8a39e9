/** A real Chromium, with the tests' probe in every page and nothing else of ours. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { transformWithOxc } from 'vite';
import { findChromium } from '../../../scripts/requirements.ts';
import type { Probe } from './probe-port.ts';

declare global {
  /** In the page only: use it inside `page.evaluate`. */
  var lobbyProbe: Probe;
}

const PROBE = fileURLToPath(new URL('../browser/probe.ts', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('Chromium is missing: install it, or set CHROMIUM to its program file.');
  return await chromium.launch({ executablePath, args: ARGUMENTS });
}

/** A customer's own device: nothing on it yet. */
export async function newDevice(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const device = await browser.newContext({ locale: 'zh-CN', viewport: { width: 360, height: 740 }, ...options });
  device.setDefaultTimeout(15_000);
  const { code } = await transformWithOxc(await readFile(PROBE, 'utf8'), PROBE);
  await device.addInitScript(`(() => { ${code.replace(/^export\s*\{\s*\};?$/m, '')} })()`);
  return device;
}

/** The accessibility findings that would keep people out of this page as it stands. */
export async function seriousFindings(page: Page): Promise<ReturnType<Probe['seriousFindings']>> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  return await page.evaluate(() => lobbyProbe.seriousFindings());
}
