/** What a customer must be able to do with official Web Chat, one check after the other in one conversation. */

import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { bare } from '../support/words.ts';
import type { Stage } from './stage.ts';
import type { Row, WebChatWindow } from './window.ts';

/** Where the page stands and which language is spoken there. */
export interface Setting {
  readonly name: string;
  readonly locale: string;
  readonly place: 'front door' | 'bank site';
  readonly says: {
    readonly question: string;
    readonly aMachine: string;
    readonly whileAway: readonly [string, string];
    readonly triedAgain: string;
    readonly afterRestart: string;
  };
}

export const SETTINGS: readonly Setting[] = [
  {
    name: 'zh at Lobby’s own origin',
    locale: 'zh-HANS',
    place: 'front door',
    says: {
      question: '定期存款利率是多少？',
      aMachine: '智能助手',
      whileAway: ['跨行转账多久到账？', '信用卡年费多少'],
      triedAgain: '网点周末开门吗',
      afterRestart: '贷款需要什么材料',
    },
  },
  {
    name: 'en on the bank’s own site',
    locale: 'en-US',
    place: 'bank site',
    says: {
      question: 'What are your time deposit rates?',
      aMachine: 'assistant',
      whileAway: ['How long does a transfer take?', 'What does a credit card cost?'],
      triedAgain: 'When are the branches open?',
      afterRestart: 'What about the mortgage rate?',
    },
  },
];

interface Scene extends Pick<Setting, 'says'> {
  readonly stage: Stage;
  readonly window: WebChatWindow;
  /** Everything the customer has said so far, by typing or by tapping. */
  readonly said: string[];
  /** What the page's security policy refused before it was loaded again. */
  readonly violations: string[];
}

type Check = readonly [name: string, run: (scene: Scene) => Promise<void>];

/** Web Chat comes back after 3 to 15 seconds, and where that failed after 20 more. */
const COMES_BACK_WITHIN_MS = 45_000;
/** After this Web Chat says that a message was not sent. */
const GIVES_UP_AFTER_MS = 20_000;

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');

const CHECKS: readonly Check[] = [
  [
    'greets with the first answer, and says that a machine speaks',
    async (scene) => {
      await say(scene, scene.says.question);
      await untilAnswered(scene);
      const [, greeting] = await scene.window.rows();
      strictEqual(greeting?.words.includes(bare(scene.says.aMachine)), true, `the greeting: ${greeting?.words}`);
    },
  ],
  [
    'shows the rates as a table',
    async ({ window }) => {
      strictEqual((await window.page.locator('.webchat__bubble th').count()) >= 2, true);
      strictEqual((await window.page.locator('.webchat__bubble tbody tr').count()) >= 4, true);
    },
  ],
  [
    'shows suggested actions, and says the one that is tapped',
    async (scene) => {
      const first = scene.window.suggestions.first();
      scene.said.push((await first.textContent()) ?? '');
      await first.click();
      await untilAnswered(scene);
    },
  ],
  [
    'comes back after a cut with no gap: what was said meanwhile and its answers are there once',
    async (scene) => {
      const { stage, says } = scene;
      await stage.door.withoutStreams(async () => {
        for (const text of says.whileAway) await say(scene, text);
        await until(async () => isAnswered(scene, await stage.recorded(scene.window)));
      });
      await untilAnswered(scene);
    },
  ],
  [
    'shows a message once that was taken and is tried again all the same',
    async (scene) => {
      const { stage, window, says } = scene;
      stage.door.loseAnswerTo(says.triedAgain);
      await stage.door.withoutStreams(async () => {
        await say(scene, says.triedAgain);
        await window.retry.waitFor({ timeout: GIVES_UP_AFTER_MS + 10_000 });
        const before = stage.door.postsOf(says.triedAgain);
        await window.retry.click();
        await until(() => stage.door.postsOf(says.triedAgain) > before);
      });
      await untilAnswered(scene);
      strictEqual(await window.retry.count(), 0, 'it still offers to try again');
    },
  ],
  [
    'comes back after a kill -9 of the service, and goes on',
    async (scene) => {
      const { stage, says } = scene;
      await stage.service.kill();
      await until(() => stage.door.streams === 0);
      await stage.service.start();
      await until(() => stage.door.streams > 0);
      await say(scene, says.afterRestart);
      await untilAnswered(scene);
    },
  ],
  [
    'sends a picture, shows it, and saves it unchanged',
    async (scene) => {
      const { stage, window } = scene;
      await window.send({ name: '截图 1.png', mimeType: 'image/png', buffer: PNG });
      const address = new RegExp(`^${stage.door.origin}/v3/directline/.*/uploads/`);
      await until(async () => address.test((await window.pictures.last().getAttribute('src')) ?? ''));
      await until(() => window.showsPicture());
      const saved = await fetch((await window.pictures.last().getAttribute('src')) ?? '');
      strictEqual(saved.headers.get('content-disposition')?.startsWith('attachment;'), true);
      deepStrictEqual(Buffer.from(await saved.arrayBuffer()), PNG);
      await untilAnswered(scene);
    },
  ],
  [
    'sends a document, and its link downloads it unchanged under its name',
    async (scene) => {
      const { window } = scene;
      await window.send({ name: '流水 statement.pdf', mimeType: 'application/pdf', buffer: PDF });
      const link = window.fileNamed('流水 statement.pdf');
      await link.waitFor();
      const [download] = await Promise.all([window.page.waitForEvent('download'), link.click()]);
      strictEqual(download.suggestedFilename(), '流水 statement.pdf');
      deepStrictEqual(await readFile(await download.path()), PDF);
      await untilAnswered(scene);
    },
  ],
  [
    'shows the whole conversation again after a reload, and goes on with it',
    async (scene) => {
      const { window, says, violations } = scene;
      const before = await window.rows();
      violations.push(...(await window.violations()));
      await window.reload();
      await untilAnswered(scene);
      deepStrictEqual(await window.rows(), before);
      await until(() => window.showsPicture());
      await say(scene, says.question);
      await untilAnswered(scene);
    },
  ],
  [
    'keeps to its security policy',
    async ({ window, violations }) => {
      deepStrictEqual([...violations, ...(await window.violations())], []);
    },
  ],
];

export interface Report {
  passed(name: string, ms: number): void;
  failed(name: string, error: unknown): void;
}

/** Runs all checks in one conversation. A failed one does not stop the rest. `photograph` gets the window at its end. */
export async function runChecks(
  stage: Stage,
  { name, locale, place, says }: Setting,
  report: Report,
  photograph: (window: WebChatWindow) => Promise<void>,
): Promise<void> {
  const window = await stage.openWindow();
  await window.open(stage.addressOf(place, locale));
  const scene: Scene = { stage, window, says, said: [], violations: [] };
  for (const [what, run] of CHECKS) {
    const begun = performance.now();
    try {
      await run(scene);
      report.passed(`${name}: ${what}`, performance.now() - begun);
    } catch (error) {
      report.failed(`${name}: ${what}`, error);
    }
  }
  await photograph(window);
}

function say({ window, said }: Scene, text: string): Promise<void> {
  said.push(text);
  return window.say(text);
}

/** The bank has everything the customer said, once and in order, and had the last word. */
function isAnswered({ said }: Scene, recorded: readonly Row[]): boolean {
  const heard = recorded.filter(({ from }) => from === 'customer').map(({ words }) => words);
  return isDeepStrictEqual(heard, said.map(bare)) && recorded.at(-1)?.from === 'bank';
}

/** Waits until the bank has everything and the window shows just what the bank has. */
async function untilAnswered(scene: Scene): Promise<void> {
  let recorded: readonly Row[] = [];
  let shown: readonly Row[] = [];
  const isSame = async (): Promise<boolean> => {
    recorded = await scene.stage.recorded(scene.window);
    shown = await scene.window.rows();
    return isAnswered(scene, recorded) && isDeepStrictEqual(shown, recorded);
  };
  await until(isSame).catch(() => {
    deepStrictEqual(shown, recorded, 'the window shows something else than the record holds');
    throw new Error(`The record is not what was said and answered: ${JSON.stringify(recorded)}`);
  });
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = COMES_BACK_WITHIN_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`It did not come true within ${withinMs / 1000} s.`);
    await pause(200);
  }
}
