/** The chat on a bank's own page: one script tag puts it there, and only on pages the bank has named. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { newDevice, seriousFindings, startBrowser } from './support/browser.ts';
import { type BuiltPages, buildPages } from './support/pages.ts';

let pages: BuiltPages;
let bank: BankSite;
let partner: BankSite;
let stranger: BankSite;
let app: TestApp;
let browser: Browser;
let device: BrowserContext;

/** A page of another site, whose whole part in this is one line. */
interface BankSite {
  readonly origin: string;
  body: string;
  close(): void;
}

async function startSite(host: string): Promise<BankSite> {
  const site = { origin: '', body: '', close: () => server.close() };
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      `<!doctype html><html lang="zh-CN"><title>银行</title><main><h1>银行首页</h1></main>${site.body}</html>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site.origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return site;
}

beforeAll(async () => {
  [pages, browser, bank, partner, stranger] = await Promise.all([
    buildPages(),
    startBrowser(),
    // Of one site with Lobby, as www.bank.example is with chat.bank.example; and of another site altogether.
    startSite('127.0.0.1'),
    startSite('localhost'),
    startSite('localhost'),
  ]);
  app = await startTestApp({ CHAT_ORIGINS: `${bank.origin},${partner.origin}` }, { pagesFolder: pages.folder });
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
  bank?.close();
  partner?.close();
  stranger?.close();
  await pages?.remove();
});

beforeEach(async () => {
  device = await newDevice(browser, { viewport: { width: 1280, height: 800 } });
});

afterEach(() => device.close());

async function visit(site: BankSite, attributes = ''): Promise<Page> {
  site.body = `<script src="${app.base.href}embed.js" async ${attributes}></script>`;
  const page = await device.newPage();
  await page.goto(site.origin);
  return page;
}

const launcher = (page: Page) => page.locator('.launcher');
const chat = (page: Page): FrameLocator => page.frameLocator('iframe');

test('a customer opens the chat on the bank’s page, asks, and gets an answer', async () => {
  const page = await visit(bank);
  expect(await page.locator('iframe').count()).toBe(0);
  await launcher(page).click();
  await chat(page).locator('.message[data-from="bank"]').first().waitFor();
  await chat(page).locator('#message').fill('网点周末开门吗');
  await chat(page).locator('#message').press('Enter');
  await expect.poll(() => chat(page).locator('.message[data-from="bank"]').count()).toBeGreaterThan(1);
});

test('it works on another site too, where this browser lets the chat keep nothing', async () => {
  const page = await visit(partner);
  await launcher(page).click();
  await chat(page).locator('#message').fill('你好');
  await chat(page).locator('#message').press('Enter');
  await expect.poll(() => chat(page).locator('.message[data-from="bank"]').count()).toBeGreaterThan(1);
});

test('it opens, closes and gives the focus back by keyboard alone', async () => {
  const page = await visit(bank);
  await launcher(page).focus();
  await page.keyboard.press('Enter');
  await chat(page).locator('#message').waitFor();
  await expect
    .poll(() =>
      chat(page)
        .locator('#message')
        .evaluate((field) => field.matches(':focus')),
    )
    .toBe(true);
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({ state: 'hidden' });
  expect(await launcher(page).evaluate((button) => button.matches(':focus'))).toBe(true);
  expect(await launcher(page).getAttribute('aria-expanded')).toBe('false');
});

test('it stays open on the bank’s next page, in the same conversation', async () => {
  const page = await visit(bank);
  await launcher(page).click();
  await chat(page).locator('#message').fill('第一页');
  await chat(page).locator('#message').press('Enter');
  await expect.poll(() => chat(page).locator('.message[data-from="bank"]').count()).toBeGreaterThan(1);
  await page.reload();
  await chat(page).getByText('第一页', { exact: true }).waitFor();
  await chat(page).getByRole('button', { name: '收起对话窗口' }).click();
  await page.reload();
  await launcher(page).waitFor();
  expect(await page.locator('iframe').count()).toBe(0);
});

test('while it is closed, the button counts what the bank says', async () => {
  const page = await visit(bank);
  let holds = false;
  const held: (() => void)[] = [];
  await page.routeWebSocket(/stream/, (socket) => {
    socket.connectToServer().onMessage((message) => {
      if (holds) held.push(() => socket.send(message));
      else socket.send(message);
    });
  });
  await launcher(page).click();
  await chat(page).locator('.message[data-from="bank"]').first().waitFor();
  holds = true;
  await chat(page).locator('#message').fill('定期存款利率是多少？');
  await chat(page).locator('#message').press('Enter');
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await page.waitForTimeout(300);
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({ state: 'hidden' });
  await page.waitForTimeout(200);
  for (const release of held) release();
  await expect.poll(() => page.locator('.badge').textContent()).toMatch(/^[1-9]$/);
  await expect.poll(() => launcher(page).getAttribute('aria-label')).toMatch(/[1-9] 条新消息/);
  await launcher(page).click();
  await expect.poll(() => page.locator('.badge').textContent()).toBe('');
});

test('it speaks the language and stands on the side that the bank asks for', async () => {
  const page = await visit(bank, 'data-lang="en" data-position="left"');
  await page.getByRole('button', { name: 'Customer service' }).click();
  await chat(page).getByText('Automated assistant').waitFor();
  const box = await launcher(page).boundingBox();
  expect(box?.x).toBeLessThan(100);
  expect(await seriousFindings(page)).toEqual([]);
});

test('on a phone it is the whole screen and closes from its own head', async () => {
  const page = await visit(bank);
  await page.setViewportSize({ width: 360, height: 740 });
  await launcher(page).click();
  await chat(page).locator('.message[data-from="bank"]').first().waitFor();
  expect(await page.locator('iframe').boundingBox()).toMatchObject({ x: 0, y: 0, width: 360, height: 740 });
  await chat(page).getByRole('button', { name: '收起对话窗口' }).click();
  await page.locator('.panel').waitFor({ state: 'hidden' });
  await launcher(page).waitFor();
});

test('another site cannot show it', async () => {
  const page = await visit(stranger);
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await launcher(page).click();
  await refused;
  expect(await chat(page).locator('#message').count()).toBe(0);
});

test('it does nothing on the word of a window that is not its own', async () => {
  const page = await visit(bank);
  await launcher(page).click();
  await chat(page).locator('#message').waitFor();
  await page.evaluate(() => lobbyProbe.say({ lobby: 'close' }));
  await page.waitForTimeout(300);
  expect(await page.locator('.panel').isVisible()).toBe(true);
});

test('outside a frame of the bank’s, the page itself is shown in no frame at all', async () => {
  const own = await fetch(new URL('/chat', app.base));
  expect(own.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  const framed = await fetch(new URL('/chat?embed=1', app.base));
  expect(framed.headers.get('content-security-policy')).toContain(
    `frame-ancestors 'self' ${bank.origin} ${partner.origin}`,
  );
  expect(framed.headers.get('x-frame-options')).toBeNull();
});
