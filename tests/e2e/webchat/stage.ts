/** Everything a check of official Web Chat stands on: the service as a process, its front door, the bank's site, and a browser. */

import type { Browser } from 'playwright-core';
import { newDevice, startBrowser } from '../support/browser.ts';
import type { Side } from '../support/chat.ts';
import { Service } from '../support/service.ts';
import { bare } from '../support/words.ts';
import type { WebChatBundle } from './bundle.ts';
import { BankSite, FrontDoor, pageFiles } from './site.ts';
import { type Row, WebChatWindow } from './window.ts';

export class Stage {
  readonly service: Service;
  readonly door: FrontDoor;
  readonly bank: BankSite;
  readonly #browser: Browser;

  private constructor(service: Service, door: FrontDoor, bank: BankSite, browser: Browser) {
    this.service = service;
    this.door = door;
    this.bank = bank;
    this.#browser = browser;
  }

  static async set(bundle: WebChatBundle): Promise<Stage> {
    const files = await pageFiles(bundle);
    const door = await FrontDoor.open(files);
    const bank = await BankSite.open(files, door.origin);
    const [service, browser] = await Promise.all([Service.begin({ CHAT_ORIGINS: bank.origin }), startBrowser()]);
    door.target = service.base;
    return new Stage(service, door, bank, browser);
  }

  /** A window of its own, on a new device. */
  async openWindow(): Promise<WebChatWindow> {
    const device = await newDevice(this.#browser, { viewport: { width: 480, height: 800 } });
    return new WebChatWindow(await device.newPage());
  }

  /** Where the page stands; on the bank's site it has to be told where Lobby is. */
  addressOf(place: 'front door' | 'bank site', locale: string): string {
    const page = new URL('/webchat/', place === 'front door' ? this.door.origin : this.bank.origin);
    page.searchParams.set('locale', locale);
    if (place === 'bank site') page.searchParams.set('lobby', this.door.origin);
    return page.href;
  }

  /** What the bank holds of the conversation in this window, asked for as its customer. */
  async recorded({ page }: WebChatWindow): Promise<Row[]> {
    const { chat = '{}' } = await page.evaluate(() => lobbyProbe.kept());
    const headers = { 'content-type': 'application/json' };
    const asked = await fetch(`${this.door.origin}/api/chat/token`, { method: 'POST', headers, body: chat });
    const { token, conversationId } = (await asked.json()) as { token: string; conversationId: string };
    const address = `${this.door.origin}/v3/directline/conversations/${conversationId}/activities`;
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    const { activities } = (await answer.json()) as { activities: { text?: string; from: { role: string } }[] };
    return activities.flatMap(({ text, from }) =>
      text ? [{ from: (from.role === 'user' ? 'customer' : 'bank') satisfies Side, words: bare(text) }] : [],
    );
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await Promise.all([this.service.end(), this.door.close(), this.bank.close()]);
  }
}
