/** Twenty messages typed into the customer's page while the service is killed twice and every post comes twice: nothing is lost, nothing doubled. */

import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { APIResponse, Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { en as dialogEn } from '../../dialogs/strings/en.ts';
import { zh as dialogZh } from '../../dialogs/strings/zh.ts';
import { chat as words } from '../../web/shared/strings/zh.ts';
import { Random } from '../proof/simulation/random.ts';
import { newDevice, startBrowser } from './support/browser.ts';
import { Chat, type Side } from './support/chat.ts';
import { Service } from './support/service.ts';
import { bare } from './support/words.ts';

const POSTS = '**/v3/directline/conversations/*/activities';

const TWENTY = [
  '你好',
  '定期存款利率是多少？',
  'Hello, do you speak English?',
  'What are your time deposit rates?',
  '我的银行卡丢了怎么办',
  '跨行转账多久到账？',
  'When are the branches open?',
  '网点周末开门吗',
  '信用卡年费多少',
  'How do I reset my password?',
  '😀 谢谢',
  '怎么开通手机银行？',
  'How long does a transfer take?',
  '<b>not bold</b> & "quotes"',
  '贷款需要什么材料',
  'I lost my card',
  '大额存单还有吗？',
  'What about the mortgage rate?',
  '活期利率呢',
  'Thank you',
];

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const random = new Random(seed);

let browser: Browser;
let service: Service;

beforeAll(async () => {
  [browser, service] = await Promise.all([startBrowser(), Service.begin()]);
});

afterAll(async () => {
  await browser?.close();
  await service?.end();
});

/** What the service answered to the two copies of one post; null where it died first. */
interface Doubled {
  readonly body: { readonly type: string; readonly text?: string };
  readonly answers: readonly (string | null)[];
}

/** Every post goes out twice, at once or one after the other, and the page hears one of the answers. */
async function postTwice(page: Page, going: (route: Route) => void): Promise<readonly Doubled[]> {
  const doubled: Doubled[] = [];
  await page.route(POSTS, async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    going(route);
    const first = forward(route);
    if (random.chance(0.5)) await first;
    const both = await Promise.all([first, forward(route)]);
    const heard = both.filter((answer) => answer !== null);
    const answers = await Promise.all(both.map(async (answer) => (await answer?.text()) ?? null));
    doubled.push({ body: route.request().postDataJSON(), answers });
    if (heard.length > 0) await route.fulfill({ response: random.pick(heard) });
    else await route.abort('connectionreset');
  });
  return doubled;
}

function forward(route: Route): Promise<APIResponse | null> {
  return route.fetch({ timeout: 15_000 }).catch(() => null);
}

/** Kills the service in the middle of the posts of one message, the first time it is sent. */
function killDuring(text: string): { readonly going: (route: Route) => void; readonly killed: Promise<number> } {
  const afterMs = random.between(0, 25);
  let going: (route: Route) => void = () => undefined;
  const killed = new Promise<number>((resolve, reject) => {
    let armed = true;
    going = (route) => {
      if (!armed || route.request().postDataJSON().text !== text) return;
      armed = false;
      pause(afterMs)
        .then(() => service.kill())
        .then(() => resolve(afterMs), reject);
    };
  });
  return { going, killed };
}

/** The page says that the line is down, and once the service is back, that it has it again. */
async function expectToComeBack({ page, banner }: Chat): Promise<void> {
  const restored = page.locator('.told').getByText(words.restored);
  await Promise.all([banner.getByText(words.broken).waitFor(), service.start()]);
  await restored.waitFor({ timeout: 25_000 });
  await restored.waitFor({ state: 'detached' });
}

async function type(chat: Chat, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await chat.write(text);
    await pause(random.between(0, 300));
  }
}

/** A message as the page shows it, and as the record holds it. Of its text what no markup changes. */
interface Row {
  readonly seq: number;
  readonly from: Side;
  readonly words: string;
}

interface RecordedRow extends Row {
  readonly turn: number;
  readonly type: string;
}

/** The bubbles as they stand on the page; those that the bank has not recorded have no number. */
async function shownRows(chat: Chat): Promise<Row[]> {
  const [bubbles, seqs] = await Promise.all([
    chat.shown(),
    chat.bubbles().evaluateAll((elements) => elements.map((element) => element.getAttribute('data-seq'))),
  ]);
  return bubbles.map(({ from, text }, index) => ({ seq: Number(seqs[index]), from, words: bare(text) }));
}

/** The only conversation, every row of it. */
async function readConversation(): Promise<{ readonly seq: number; readonly rows: readonly RecordedRow[] }> {
  const [conversation, ...more] = await service.readRecord((record) =>
    record.query<{ seq: number; rows: (Omit<RecordedRow, 'words'> & { text: string | null })[] }>(
      `select c.seq::int as seq, jsonb_agg(jsonb_build_object(
                'seq', a.seq, 'turn', a.turn, 'type', a.body ->> 'type', 'text', a.body ->> 'text',
                'from', case a.speaker when 'customer' then 'customer' else 'bank' end) order by a.seq) as rows
         from conversation c join activity a on a.conversation_id = c.id group by c.id`,
    ),
  );
  if (!conversation || more.length > 0) throw new Error(`There are ${more.length} conversations besides the first.`);
  return {
    seq: conversation.seq,
    rows: conversation.rows.map(({ text, ...row }) => ({ ...row, words: bare(text ?? '') })),
  };
}

const from = <Some extends Row>(side: Side, rows: readonly Some[]): Some[] => rows.filter((row) => row.from === side);
const wordsOf = (rows: readonly Row[]): string[] => rows.map((row) => row.words);
const asRow = ({ seq, from, words }: Row): Row => ({ seq, from, words });

/** What the gate says when a turn failed is no answer. */
const FAILURES = [dialogZh, dialogEn].map(({ failure }) => bare(failure('').slice(0, 40)));

function expectAnswered({ turn, words }: RecordedRow, messages: readonly RecordedRow[]): void {
  const answers = from('bank', messages).filter((row) => row.turn === turn);
  expect(answers, `answers to “${words}”`).not.toEqual([]);
  for (const answer of wordsOf(answers)) for (const failure of FAILURES) expect(answer).not.toContain(failure);
}

/** Where both copies of a message were answered, they were given the same id. */
function expectOneIdForTwo(doubled: readonly Doubled[]): void {
  const messages = doubled.filter(({ body }) => body.type === 'message');
  const both = messages.filter(({ answers }) => !answers.includes(null));
  const cut = messages.filter(({ answers }) => answers.includes(null)).map(({ body }) => body.text);
  console.log(`${doubled.length} posts went out twice; cut off by the kills: ${[...new Set(cut)].join(', ')}`);
  expect(both.length).toBeGreaterThanOrEqual(TWENTY.length - 2);
  for (const { answers } of both) expect(answers[0]).toBe(answers[1]);
}

test('twenty messages are complete, in order and answered once after two kills, on the page and in the record', async () => {
  const [before, during] = [random.between(1, 7), random.between(11, 17)];
  console.log(`CRASH_SEED=${seed}: killed before message ${before + 1}, and in the middle of message ${during + 1}`);
  const device = await newDevice(browser);
  const chat = new Chat(await device.newPage());
  const { going, killed } = killDuring(TWENTY[during] ?? '');
  const doubled = await postTwice(chat.page, going);
  await chat.open(service.base, '?lang=zh');

  await type(chat, TWENTY.slice(0, before));
  await service.kill();
  await Promise.all([type(chat, TWENTY.slice(before, 10)), expectToComeBack(chat)]);

  const typed = type(chat, TWENTY.slice(10));
  console.log(`killed ${await killed} ms into it`);
  await Promise.all([typed, expectToComeBack(chat)]);

  const isDone = async (): Promise<boolean> => {
    const rows = await shownRows(chat);
    return rows.every(({ seq }) => seq > 0) && from('customer', rows).length >= 20 && rows.at(-1)?.from === 'bank';
  };
  await expect.poll(isDone, { timeout: 20_000 }).toBe(true);
  const shown = await shownRows(chat);
  expect(wordsOf(from('customer', shown))).toEqual(TWENTY.map(bare));
  await chat.page.reload();
  await expect.poll(() => shownRows(chat), { timeout: 15_000 }).toEqual(shown);
  await device.close();

  const { seq, rows } = await readConversation();
  expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  const messages = rows.filter((row) => row.type === 'message');
  expect(messages.map(asRow)).toEqual(shown);
  for (const asked of from('customer', messages)) expectAnswered(asked, messages);
  expectOneIdForTwo(doubled);
}, 90_000);
