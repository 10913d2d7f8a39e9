/** The customer's page on the real service, in a real browser: what customers do, and what can go wrong on a phone. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, BrowserContextOptions, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { newDevice, seriousFindings, startBrowser } from './support/browser.ts';
import { Chat } from './support/chat.ts';
import { type BuiltPages, buildPages } from './support/pages.ts';

const POSTS = '**/v3/directline/conversations/*/activities';
const KILOBYTE = 1024;

let pages: BuiltPages;
let app: TestApp;
let browser: Browser;
let device: BrowserContext;
let opened: Page[] = [];

beforeAll(async () => {
  [pages, browser] = await Promise.all([buildPages(), startBrowser()]);
  app = await startTestApp({ CHAT_UPLOADS: 'on' }, { pagesFolder: pages.folder });
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
  await pages?.remove();
});

beforeEach(async () => {
  device = await newDevice(browser);
});

afterEach(async () => {
  for (const page of opened.filter((page) => !page.isClosed())) {
    expect(await page.evaluate(() => lobbyProbe.violations), 'the security policy was violated').toEqual([]);
  }
  opened = [];
  await device.close();
});

async function newPage(on: BrowserContext = device): Promise<Page> {
  const page = await on.newPage();
  opened.push(page);
  return page;
}

async function openChat(query = ''): Promise<Chat> {
  return await new Chat(await newPage()).open(app.base, query);
}

/** Another kind of device for this test. */
async function useDevice(options: BrowserContextOptions): Promise<void> {
  await device.close();
  device = await newDevice(browser, options);
}

/** What the record says the customer said, in its order. */
async function recorded(conversationId: string): Promise<string[]> {
  const rows = await app.database.query<{ text: string }>(
    `select body ->> 'text' as text from activity
     where conversation_id = $1 and speaker = 'customer' and body ->> 'type' = 'message' order by seq`,
    [conversationId],
  );
  return rows.map(({ text }) => text);
}

async function typesRecorded(conversationId: string): Promise<string[]> {
  const rows = await app.database.query<{ what: string }>(
    `select concat_ws(' ', body ->> 'type', body ->> 'name') as what from activity
     where conversation_id = $1 and speaker = 'customer' order by seq`,
    [conversationId],
  );
  return rows.map(({ what }) => what);
}

/** Only messages: events of the page pass. */
function isMessage(route: Route): boolean {
  return route.request().method() === 'POST' && (route.request().postData() ?? '').includes('"type":"message"');
}

/** The bank takes each of the next messages, but its answer gets lost on the way back. */
async function loseAnswers(page: Page, count: number): Promise<void> {
  let left = count;
  await page.route(POSTS, async (route) => {
    if (!isMessage(route) || left === 0) return route.fallback();
    left -= 1;
    await route.fetch();
    await route.abort('connectionreset');
  });
}

const TWENTY = [
  '你好',
  '定期存款利率是多少？',
  '三年的呢',
  '我的银行卡丢了怎么办？',
  '网点周末开门吗',
  '跨行转账多久到账？',
  '怎么开通手机银行',
  '信用卡年费多少',
  '😀 谢谢',
  '再问一个：贷款需要什么材料？',
  'Hello, can you speak English?',
  'What are your time deposit rates?',
  'I lost my card',
  'When are the branches open?',
  'How long does a transfer take?',
  'What is today’s exchange rate?',
  'How do I reset my password?',
  '<b>not bold</b> & "quotes"',
  'What about the mortgage rate?',
  'Thank you, goodbye',
];

describe('a conversation', () => {
  test('of twenty messages in both languages stands on the page and in the record, complete and in order', async () => {
    const chat = await openChat();
    for (const text of TWENTY) await chat.say(text);
    expect(await chat.said()).toEqual(TWENTY);
    expect(await recorded(await chat.conversationId())).toEqual(TWENTY);
    const answers = (await chat.shown()).filter(({ from }) => from === 'bank');
    expect(answers.length).toBeGreaterThanOrEqual(TWENTY.length);
  });

  test('begins with one greeting that says a machine answers, and offers answers to pick', async () => {
    const chat = await openChat('?lang=zh');
    expect(await chat.bubbles().count()).toBe(1);
    await expect.poll(() => chat.page.locator('.notice').textContent()).toContain('智能助手自动回复');
    const chip = chat.page.locator('.chip').first();
    const words = (await chip.textContent()) ?? '';
    await chip.click();
    await chat.answerAfter(2);
    expect(await chat.said()).toEqual([words]);
  });

  test('shows an answer’s rate table as a table', async () => {
    const chat = await openChat('?lang=zh');
    await chat.say('定期存款利率是多少？');
    expect(await chat.page.getByRole('columnheader').count()).toBeGreaterThanOrEqual(2);
    expect(await chat.page.getByRole('cell').first().textContent()).not.toContain('|');
  });

  test('keeps what looks like markup as text', async () => {
    const chat = await openChat();
    await chat.say('<img src=x onerror=alert(1)> **bold**');
    expect(await chat.said()).toEqual(['<img src=x onerror=alert(1)> **bold**']);
    expect(await chat.page.locator('.bubble img').count()).toBe(0);
  });

  test('reaches a person in one step from the button that is always there', async () => {
    const chat = await openChat('?lang=en');
    await chat.page.getByRole('button', { name: 'Talk to a person' }).first().click();
    await chat.answerAfter(2);
    const rows = await app.database.query('select number from handoff where conversation_id = $1', [
      await chat.conversationId(),
    ]);
    expect(rows).toHaveLength(1);
  });

  test('tells the bank what the customer has seen', async () => {
    const chat = await openChat();
    await chat.say('你好');
    const last = await chat.lastSeq();
    const id = await chat.conversationId();
    const seen = async (): Promise<number> => {
      const [row] = await app.database.query<{ seq: string }>(
        'select seen_seq as seq from conversation where id = $1',
        [id],
      );
      return Number(row?.seq);
    };
    await expect.poll(seen, { timeout: 10_000 }).toBeGreaterThanOrEqual(last);
  });
});

describe('a message', () => {
  test('whose confirmation got lost is sent again by itself and stands there once', async () => {
    const chat = await openChat();
    await loseAnswers(chat.page, 1);
    await chat.say('只说一次');
    await chat.say('然后');
    expect(await chat.said()).toEqual(['只说一次', '然后']);
    expect(await recorded(await chat.conversationId())).toEqual(['只说一次', '然后']);
  });

  test('that failed again and again is offered to be tried again, and is never doubled', async () => {
    const chat = await openChat('?lang=en');
    // Neither the answers nor the stream get through: the page cannot know that the bank has it.
    let cut = true;
    await chat.page.route(POSTS, async (route) => {
      if (!isMessage(route) || !cut) return route.fallback();
      await route.abort('connectionreset');
    });
    await chat.write('send me once');
    const retry = chat.page.getByRole('button', { name: 'Try again' });
    await retry.waitFor();
    expect(await recorded(await chat.conversationId())).toEqual([]);
    cut = false;
    await loseAnswers(chat.page, 1);
    await retry.click();
    await chat.answerAfter(2);
    await chat.page.waitForTimeout(2_000);
    expect(await chat.said()).toEqual(['send me once']);
    expect(await recorded(await chat.conversationId())).toEqual(['send me once']);
  });

  test('that failed can be deleted instead', async () => {
    const chat = await openChat('?lang=en');
    await chat.page.route(POSTS, (route) => (isMessage(route) ? route.abort() : route.fallback()));
    await chat.write('never mind');
    await chat.page.getByRole('button', { name: 'Delete' }).click();
    expect(await chat.said()).toEqual([]);
    await chat.page.reload();
    await chat.bubbles('bank').first().waitFor();
    expect(await chat.said()).toEqual([]);
  });

  test('written while the bank could not be reached survives a reload, and is sent once', async () => {
    const chat = await openChat();
    await chat.page.route(POSTS, (route) => (isMessage(route) ? route.abort() : route.fallback()));
    await chat.write('重新打开后再发');
    await chat.saying('重新打开后再发').waitFor();
    await chat.page.unroute(POSTS);
    await chat.page.reload();
    await chat.answerAfter(2);
    expect(await chat.said()).toEqual(['重新打开后再发']);
    expect(await recorded(await chat.conversationId())).toEqual(['重新打开后再发']);
  });

  test('waits as long as the bank asks when it is busy', async () => {
    const chat = await openChat();
    const refusedAt: number[] = [];
    const takenAt: number[] = [];
    await chat.page.route(POSTS, async (route) => {
      if (!isMessage(route)) return route.fallback();
      if (refusedAt.length > 0) takenAt.push(Date.now());
      if (refusedAt.length > 0) return route.fallback();
      refusedAt.push(Date.now());
      await route.fulfill({
        status: 429,
        headers: { 'retry-after': '2' },
        json: { error: { code: 'busy', message: 'Wait.' } },
      });
    });
    await chat.say('请稍候');
    expect((takenAt[0] ?? 0) - (refusedAt[0] ?? 0)).toBeGreaterThanOrEqual(1_900);
    expect(await recorded(await chat.conversationId())).toEqual(['请稍候']);
  });

  test('goes out under a new token when the old one has run out', async () => {
    const chat = await openChat();
    let refused = 0;
    await chat.page.route(POSTS, (route) => {
      if (!isMessage(route) || refused > 0) return route.fallback();
      refused += 1;
      return route.fulfill({
        status: 403,
        json: { error: { code: 'TokenExpired', message: 'The token has expired.' } },
      });
    });
    await chat.say('令牌过期');
    expect(refused).toBe(1);
    expect(await recorded(await chat.conversationId())).toEqual(['令牌过期']);
  });

  test('is not sent by the Enter of an input method, nor by Shift and Enter', async () => {
    const chat = await openChat();
    await chat.field.fill('拼音');
    await chat.page.evaluate(() => lobbyProbe.pressInputMethodEnter('chromium'));
    await chat.page.evaluate(() => lobbyProbe.pressInputMethodEnter('safari'));
    await chat.field.press('Shift+Enter');
    await chat.page.waitForTimeout(300);
    expect(await chat.said()).toEqual([]);
    expect(await chat.field.inputValue()).toBe('拼音\n');
    await chat.field.press('Enter');
    await chat.saying('拼音').waitFor();
    expect(await chat.field.inputValue()).toBe('');
  });

  test('that is too long is held back with a sentence, and nothing of it is cut off', async () => {
    const chat = await openChat('?lang=en');
    await chat.write('x'.repeat(4_001));
    await expect.poll(() => chat.page.locator('#room').textContent()).toBe('1 characters too long: please shorten it');
    expect(await chat.said()).toEqual([]);
    await chat.say('y'.repeat(4_000));
    expect((await recorded(await chat.conversationId())).map(({ length }) => length)).toEqual([4_000]);
  });
});

describe('the line', () => {
  test('after a reload shows the same conversation, with one greeting', async () => {
    const chat = await openChat();
    await chat.say('第一句');
    await chat.say('第二句');
    const before = await chat.shown();
    const id = await chat.conversationId();
    await chat.page.reload();
    await expect.poll(() => chat.shown()).toEqual(before);
    expect(await chat.conversationId()).toBe(id);
    expect((await typesRecorded(id)).filter((what) => what === 'event webchat/join')).toHaveLength(1);
    await chat.say('第三句');
    expect(await recorded(id)).toEqual(['第一句', '第二句', '第三句']);
  });

  test('says that it is away, keeps what is written, and sends it once it is back', async () => {
    const chat = await openChat('?lang=zh');
    await device.setOffline(true);
    await chat.banner.filter({ hasText: '网络连接已断开' }).waitFor();
    expect(await chat.banner.locator('a').getAttribute('href')).toMatch(/^tel:/);
    await chat.write('离线一');
    await chat.write('离线二');
    await expect.poll(() => chat.page.getByText('连接恢复后自动发送').count()).toBeGreaterThan(0);
    expect(await recorded(await chat.conversationId())).toEqual([]);
    await device.setOffline(false);
    await expect
      .poll(async () => recorded(await chat.conversationId()), { timeout: 20_000 })
      .toEqual(['离线一', '离线二']);
    await expect.poll(() => chat.banner.textContent()).toBe('');
    expect(await chat.said()).toEqual(['离线一', '离线二']);
  });

  test('works without sockets, where a network forbids them', async () => {
    const page = await newPage();
    await page.routeWebSocket(/stream/, (socket) => socket.close());
    const chat = await new Chat(page).open(app.base);
    await chat.say('没有套接字');
    await chat.say('也可以');
    expect(await recorded(await chat.conversationId())).toEqual(['没有套接字', '也可以']);
    expect(await chat.said()).toEqual(['没有套接字', '也可以']);
  });

  test('that dies without a word is found out by the message that does not come back', async () => {
    const page = await newPage();
    let deaf = false;
    await page.routeWebSocket(/stream/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => {
        if (!deaf) socket.send(message);
      });
    });
    const chat = await new Chat(page).open(app.base);
    deaf = true;
    await chat.write('有人吗');
    setTimeout(() => {
      deaf = false;
    }, 3_500);
    await chat.answerAfter(2);
    expect(await chat.said()).toEqual(['有人吗']);
  });

  test('to a conversation that is gone says so and begins a new one, which takes what was not sent', async () => {
    const chat = await openChat('?lang=zh');
    await chat.page.evaluate(() =>
      lobbyProbe.keep('lobby.chat', JSON.stringify({ id: 'AAAAAAAAAAAAAAAAAAAAAA', ended: false })),
    );
    await chat.page.reload();
    await chat.page.getByText('之前的对话已无法继续').waitFor();
    await chat.bubbles('bank').first().waitFor();
    await chat.say('你好');
    expect(await recorded(await chat.conversationId())).toEqual(['你好']);
  });

  test('shows two tabs of one customer the same conversation', async () => {
    const one = await openChat();
    const two = await openChat();
    await one.say('从第一个窗口');
    await two.saying('从第一个窗口').waitFor();
    await two.say('从第二个窗口');
    await one.saying('从第二个窗口').waitFor();
    expect(await one.conversationId()).toBe(await two.conversationId());
    expect(await two.said()).toEqual(['从第一个窗口', '从第二个窗口']);
  });
});

describe('the customer', () => {
  test('switches the language of the page and of the answers', async () => {
    const chat = await openChat('?lang=zh');
    await chat.page.getByRole('button', { name: 'English' }).click();
    expect(await chat.page.locator('html').getAttribute('lang')).toBe('en-US');
    await expect.poll(() => chat.page.locator('.notice').textContent()).toContain('Automated assistant');
    await expect.poll(async () => typesRecorded(await chat.conversationId())).toContain('event lobby/language');
    await chat.say('利率');
    const answer = (await chat.shown()).at(-1)?.text ?? '';
    expect(answer).not.toMatch(/\p{Script=Han}/u);
    await chat.page.reload();
    await chat.page.getByRole('button', { name: '中文' }).waitFor();
  });

  test('reads in large text, also the next time', async () => {
    const chat = await openChat('?lang=zh');
    const size = (): Promise<number> => chat.page.evaluate(() => lobbyProbe.rootFontSize());
    const normal = await size();
    await chat.page.getByRole('button', { name: '大字版' }).click();
    expect(await size()).toBeGreaterThanOrEqual(normal * 1.25);
    await chat.page.reload();
    await chat.bubbles('bank').first().waitFor();
    expect(await size()).toBeGreaterThanOrEqual(normal * 1.25);
    await chat.page.getByRole('button', { name: '标准字号' }).click();
    expect(await size()).toBe(normal);
  });

  test('ends the chat, which stays readable, and starts a new one', async () => {
    const chat = await openChat('?lang=en');
    await chat.say('hello');
    const id = await chat.conversationId();
    await chat.choose('End the chat');
    await chat.confirm();
    await chat.page.getByText('This chat has ended.').waitFor();
    await expect.poll(() => typesRecorded(id)).toContain('endOfConversation');
    expect(await chat.field.count()).toBe(0);
    await chat.page.reload();
    await chat.page.getByText('This chat has ended.').waitFor();
    await chat.saying('hello').waitFor();
    await chat.page.locator('.over .solid').click();
    await expect.poll(() => chat.conversationId()).not.toBe(id);
    await chat.bubbles('bank').first().waitFor();
    expect(await chat.said()).toEqual([]);
    await chat.say('hello again');
    expect(await recorded(id)).toEqual(['hello']);
  });

  test('starts a new chat from the menu, which ends the old one', async () => {
    const chat = await openChat('?lang=zh');
    await chat.say('旧的');
    const id = await chat.conversationId();
    await chat.choose('开始新对话');
    await chat.confirm();
    await expect.poll(() => chat.conversationId()).not.toBe(id);
    await chat.say('新的');
    expect(await chat.said()).toEqual(['新的']);
    await expect.poll(() => typesRecorded(id)).toContain('endOfConversation');
  });

  test('asks for a person after the end, and gets a new chat with that request', async () => {
    const chat = await openChat('?lang=zh');
    await chat.choose('结束对话');
    await chat.confirm();
    await chat.page.locator('.pill.person').click();
    await chat.saying('转人工').waitFor();
    await chat.answerAfter(2);
    expect(await recorded(await chat.conversationId())).toEqual(['转人工']);
  });

  test('takes a copy home: the whole conversation in order, with the label of the assistant', async () => {
    const chat = await openChat('?lang=zh');
    await chat.say('第一个问题');
    await chat.say('第二个问题');
    const download = chat.page.waitForEvent('download');
    await chat.choose('保存对话记录');
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^对话记录-\d{4}-\d{2}-\d{2}\.txt$/);
    const text = await readFile(await file.path(), 'utf8');
    expect(text.indexOf('第一个问题')).toBeGreaterThan(0);
    expect(text.indexOf('第二个问题')).toBeGreaterThan(text.indexOf('第一个问题'));
    expect(text).toContain('智能助手');
  });

  test('is forgotten on a shared device: nothing is left, and the next one starts as somebody else', async () => {
    const chat = await openChat('?lang=zh');
    await chat.say('我的秘密');
    const id = await chat.conversationId();
    const before = await chat.page.evaluate(() => lobbyProbe.kept());
    const told = chat.page.waitForResponse('**/api/chat/forget');
    await chat.choose('在此设备上忘记我');
    await chat.confirm();
    expect((await told).status()).toBe(204);
    await chat.page.getByText('已在此设备上清除').waitFor();
    expect(await chat.bubbles().count()).toBe(0);
    expect(await chat.page.evaluate(() => lobbyProbe.kept())).toEqual({});
    await chat.page.reload();
    await chat.bubbles('bank').first().waitFor();
    expect(await chat.said()).toEqual([]);
    expect(await chat.conversationId()).not.toBe(id);
    const after = await chat.page.evaluate(() => lobbyProbe.kept());
    expect(after['lobby.visitor']).not.toBe(before['lobby.visitor']);
    const revived = await fetch(new URL('/api/chat/token', app.base), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ visitor: before['lobby.visitor'], conversationId: id }),
    });
    expect(revived.status).toBeGreaterThanOrEqual(401);
  });

  test('sends a file, which the bank keeps and gives back only as a download', async () => {
    const chat = await openChat('?lang=zh');
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    await chat.page.locator('input[type=file]').setInputFiles({ name: '回单.png', mimeType: 'image/png', buffer: png });
    const link = chat.page.getByRole('link', { name: '回单.png' });
    await link.waitFor();
    const reply = await chat.page.request.get(new URL((await link.getAttribute('href')) ?? '', app.base).href);
    expect(reply.headers()['content-disposition']).toContain('attachment');
    expect((await reply.body()).equals(png)).toBe(true);
  });

  test('is told when a file is not accepted, and nothing is recorded', async () => {
    const chat = await openChat('?lang=zh');
    const program = Buffer.from('MZ this is a program');
    await chat.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'setup.exe', mimeType: 'application/x-msdownload', buffer: program });
    await chat.page.getByText('未能发送').waitFor();
    expect(await typesRecorded(await chat.conversationId())).not.toContain('message');
  });

  test('signs in as one of the demo’s customers; the conversation goes on', async () => {
    const chat = await openChat('?lang=zh');
    await chat.say('登录前');
    await chat.choose('以演示客户身份登录');
    await chat.page.getByRole('button', { name: '陈志远' }).click();
    await chat.page.getByText('已登录：陈志远').waitFor();
    await chat.say('登录后');
    expect(await chat.said()).toEqual(['登录前', '登录后']);
    const id = await chat.conversationId();
    const [row] = await app.database.query<{ name: string }>(
      'select customer.name from conversation join customer on customer.id = customer_id where conversation.id = $1',
      [id],
    );
    expect(row?.name).toBe('陈志远');
    await chat.choose('退出登录');
    await expect.poll(() => chat.conversationId()).not.toBe(id);
    await chat.bubbles('bank').first().waitFor();
    expect(await chat.page.getByText('已登录').count()).toBe(0);
  });

  test('who reads further up is not pulled away, but told what is new', async () => {
    const page = await newPage();
    const held: (() => void)[] = [];
    let holds = false;
    await page.routeWebSocket(/stream/, (socket) => {
      socket.connectToServer().onMessage((message) => {
        if (holds) held.push(() => socket.send(message));
        else socket.send(message);
      });
    });
    const chat = await new Chat(page).open(app.base, '?lang=zh');
    for (let turn = 0; turn < 2; turn += 1) await chat.say('定期存款利率是多少？');
    holds = true;
    await chat.write('网点周末开门吗');
    await expect.poll(() => held.length).toBeGreaterThan(0);
    await page.evaluate(() => lobbyProbe.scrollLogTo(0));
    await page.locator('.jump').waitFor();
    const before = await chat.lastSeq();
    for (const release of held) release();
    await chat.answerAfter(before);
    await expect.poll(() => page.locator('.jump').textContent()).toMatch(/^\d 条新消息$/);
    expect(await page.evaluate(() => lobbyProbe.logTop())).toBe(0);
    expect(await page.getByText('以下为新消息').count()).toBe(1);
    await page.locator('.jump').click();
    await expect.poll(() => page.evaluate(() => lobbyProbe.distanceFromEnd())).toBeLessThan(48);
    expect(await page.locator('.jump').count()).toBe(0);
  });

  test('does everything by keyboard', async () => {
    await useDevice({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
    const chat = await openChat('?lang=en');
    const { keyboard } = chat.page;
    const focused = (): Promise<string> => chat.page.evaluate(() => lobbyProbe.focused());
    expect(await focused()).toContain('Your message');
    await keyboard.type('what are your rates?');
    await keyboard.press('Enter');
    await chat.answerAfter(2);
    expect(await focused()).toContain('Your message');

    await chat.page.locator('.menu > button').focus();
    await keyboard.press('Enter');
    await expect.poll(focused).toBe('Save a copy of this chat');
    await keyboard.press('ArrowUp');
    expect(await focused()).toBe('Forget me on this device');
    await keyboard.press('Escape');
    expect(await focused()).toBe('More options');
    await keyboard.press('Enter');
    await keyboard.press('ArrowDown');
    expect(await focused()).toBe('End the chat');
    await keyboard.press('Enter');
    await chat.page.locator('dialog[open]').waitFor();
    await keyboard.press('Escape');
    await expect.poll(() => chat.page.locator('dialog[open]').count()).toBe(0);

    await chat.page.locator('#log').focus();
    await keyboard.press('Tab');
    const reached = new Set<string>();
    for (let step = 0; step < 20; step += 1) {
      reached.add(await focused());
      await keyboard.press('Tab');
    }
    for (const name of ['Table, scrolls sideways', 'Talk to a person', 'Large text', 'Send a file', 'Send']) {
      expect([...reached], `Tab never reached "${name}"`).toContain(name);
    }
  });
});

describe('the page', () => {
  test.each(['zh', 'en'])('in %s has no serious accessibility finding in any of its states', async (lang) => {
    const chat = await openChat(`?lang=${lang}`);
    const check = async (state: string): Promise<void> => {
      expect(await seriousFindings(chat.page), state).toEqual([]);
    };
    await check('greeting');
    await chat.say(lang === 'zh' ? '定期存款利率是多少？' : 'What are your time deposit rates?');
    await check('answer with a table');
    await chat.page.emulateMedia({ colorScheme: 'dark' });
    await check('dark');
    await chat.page.emulateMedia({ colorScheme: 'light' });
    await chat.menuButton.click();
    await check('menu');
    await chat.page.keyboard.press('Escape');
    await chat.page.locator('.quick .pill').last().click();
    await check('large text');
    await device.setOffline(true);
    await chat.page.locator('.banner-broken').waitFor();
    await chat.write('offline');
    await check('offline');
    await device.setOffline(false);
    await chat.page.locator('.banner-live').waitFor({ state: 'attached' });
    await chat.menuButton.click();
    await chat.page.getByRole('menuitem').nth(1).click();
    await check('dialog');
    await chat.confirm();
    await chat.page.locator('.over').waitFor();
    await check('ended');
  });

  test('says new messages to a screen reader, but does not read an old conversation out again', async () => {
    const chat = await openChat();
    const live = (): Promise<string | null> => chat.page.locator('#log').getAttribute('aria-live');
    await expect.poll(live).toBe('polite');
    await chat.say('你好');
    await chat.page.reload({ waitUntil: 'commit' });
    await chat.bubbles('bank').first().waitFor();
    expect(await live()).toBe('off');
    await expect.poll(live, { timeout: 5_000 }).toBe('polite');
  });

  test.each([
    [320, 'zh'],
    [360, 'zh'],
    [360, 'en'],
    [1280, 'zh'],
    [1280, 'en'],
  ])('at %i px in %s nothing sticks out, not even a very long word or a large text', async (width, lang) => {
    await useDevice({ viewport: { width, height: 740 } });
    const chat = await openChat(`?lang=${lang}`);
    const check = async (state: string): Promise<void> => {
      expect(await chat.page.evaluate(() => lobbyProbe.overflowing()), state).toEqual([]);
    };
    await check('greeting');
    await chat.say(lang === 'zh' ? '定期存款利率是多少？' : 'What are your time deposit rates?');
    await chat.say(`https://www.example.com/${'a'.repeat(300)}`);
    await check('long words');
    await chat.menuButton.click();
    await check('menu');
    await chat.page.keyboard.press('Escape');
    await chat.page.locator('.quick .pill').last().click();
    await check('large text');
  });

  test('weighs under 60 KB gzipped, for browsers that read nothing newer', async () => {
    const html = await readFile(join(pages.folder, 'chat/index.html'), 'utf8');
    const files = [
      '/chat/index.html',
      ...[...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? ''),
    ];
    const sizes = await Promise.all(
      files.map(async (path) => gzipSync(await readFile(join(pages.folder, path))).length),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`the chat page's ${files.length} files: ${(bytes / KILOBYTE).toFixed(1)} KB gzipped`);
    expect(files.length).toBeGreaterThan(4);
    expect(bytes).toBeLessThan(60 * KILOBYTE);
  });

  test('weighs under 60 KB on the wire until the first message', async () => {
    const page = await newPage();
    const wire = await device.newCDPSession(page);
    let bytes = 0;
    await wire.send('Network.enable');
    wire.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    const chat = await new Chat(page).open(app.base);
    await page.waitForTimeout(1_000);
    console.log(`the chat page with its greeting: ${(bytes / KILOBYTE).toFixed(1)} KB on the wire`);
    expect(bytes).toBeGreaterThan(10 * KILOBYTE);
    expect(bytes).toBeLessThan(60 * KILOBYTE);
    await chat.say('你好');
  });

  test('gets its files compressed, the hashed ones for ever, and asks for itself each time', async () => {
    const page = await newPage();
    const replies = new Map<string, Record<string, string>>();
    page.on('response', (reply) => replies.set(new URL(reply.url()).pathname, reply.headers()));
    await new Chat(page).open(app.base);
    expect(replies.get('/chat')).toMatchObject({ 'cache-control': 'no-cache', 'content-encoding': 'br' });
    const scripts = [...replies].filter(([path]) => path.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, headers] of scripts) expect(headers['cache-control']).toContain('immutable');
  });
});

describe('the start page', () => {
  test.each(['zh', 'en'])(
    'in %s has one door that opens, and says of the others that they do not yet',
    async (lang) => {
      const page = await newPage();
      await page.goto(new URL(`/?lang=${lang}`, app.base).href);
      await page.getByRole('link').first().waitFor();
      expect(await page.getByRole('link').count()).toBe(1);
      expect(await page.locator('.door-closed').count()).toBe(2);
      await page.locator('.demo').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await page.evaluate(() => lobbyProbe.overflowing())).toEqual([]);
      }
      await page.getByRole('link').click();
      await page.locator('.message[data-from="bank"]').first().waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe(lang === 'zh' ? 'zh-CN' : 'en-US');
    },
  );
});
