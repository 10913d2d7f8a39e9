/** `npm run check:webchat`: official Web Chat, fetched when this is run, against the whole service in a real browser. Prints a line for each check; fails when one does. */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchWebChat } from '../tests/e2e/webchat/bundle.ts';
import { type Report, runChecks, SETTINGS } from '../tests/e2e/webchat/checks.ts';
import { Stage } from '../tests/e2e/webchat/stage.ts';
import { meetRequirements } from './requirements.ts';

const USAGE = `npm run check:webchat [-- --screenshots <folder>]

Drives Microsoft's Web Chat 4.18 against Lobby in Chromium: in Chinese at Lobby's own origin, in English on a site of the
bank's. The bundle comes from the npm registry and is kept under node_modules/.cache.`;

const { values } = parseArgs({ options: { screenshots: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help) console.log(USAGE);
else process.exitCode = await check(values.screenshots);

/** The exit code. */
async function check(screenshots: string | undefined): Promise<number> {
  const missing = meetRequirements();
  for (const sentence of missing) console.error(sentence);
  if (missing.length > 0) return 1;
  const bundle = await fetchWebChat();
  console.log(`Web Chat ${bundle.version}`);
  const stage = await Stage.set(bundle);
  const count = { passed: 0, failed: 0 };
  try {
    for (const setting of SETTINGS) {
      await runChecks(stage, setting, reportTo(count), async ({ page }) => {
        if (screenshots) await page.screenshot({ path: join(screenshots, `webchat-${setting.locale}.png`) });
      });
    }
  } finally {
    await stage.close();
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0 ? 0 : 1;
}

function reportTo(count: { passed: number; failed: number }): Report {
  return {
    passed(name, ms) {
      count.passed += 1;
      console.log(`ok      ${name} (${(ms / 1000).toFixed(1)} s)`);
    },
    failed(name, error) {
      count.failed += 1;
      console.log(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`);
    },
  };
}
