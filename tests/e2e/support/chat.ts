/** The chat page as a customer uses it: what they see, and what they do. */

import type { Locator, Page } from 'playwright-core';

export type Side = 'customer' | 'bank';

export interface Bubble {
  readonly from: Side;
  readonly text: string;
}

export class Chat {
  readonly page: Page;
  readonly field: Locator;
  readonly banner: Locator;
  readonly menuButton: Locator;

  constructor(page: Page) {
    this.page = page;
    this.field = page.locator('#message');
    this.banner = page.locator('.banner');
    this.menuButton = page.locator('.menu > button');
  }

  /** Opens the page and waits for the bank's greeting. */
  async open(base: URL, query = ''): Promise<this> {
    await this.page.goto(new URL(`/chat${query}`, base).href);
    await this.bubbles('bank').first().waitFor();
    return this;
  }

  bubbles(from?: Side): Locator {
    return this.page.locator(from ? `.message[data-from="${from}"]` : '.message[data-from]');
  }

  /** The bubbles whose whole text is this. */
  saying(text: string): Locator {
    return this.bubbles('customer').filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Types and sends, without waiting. */
  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  /** Types, sends, and waits until the bank has recorded it and answered. */
  async say(text: string): Promise<void> {
    const before = await this.lastSeq();
    await this.write(text);
    await this.answerAfter(before);
  }

  /** Waits for something of the bank's that is newer than this row. */
  async answerAfter(seq: number): Promise<void> {
    await this.page.waitForFunction((after) => lobbyProbe.lastAnswer() > after, seq);
  }

  /** The newest row that is on the page. */
  async lastSeq(): Promise<number> {
    const rows = await this.bubbles().evaluateAll((elements) =>
      elements.map((element) => element.getAttribute('data-seq')),
    );
    return Math.max(0, ...rows.map(Number));
  }

  async shown(): Promise<Bubble[]> {
    const rows = await this.bubbles().evaluateAll((elements) =>
      elements.map(
        (element) => [element.getAttribute('data-from'), element.querySelector('.bubble')?.textContent] as const,
      ),
    );
    return rows.map(([from, text]) => ({ from: from === 'customer' ? 'customer' : 'bank', text: text ?? '' }));
  }

  /** What the customer said, as it stands on the page. */
  async said(): Promise<string[]> {
    return (await this.shown()).filter(({ from }) => from === 'customer').map(({ text }) => text);
  }

  async choose(item: string | RegExp): Promise<void> {
    await this.menuButton.click();
    await this.page.getByRole('menuitem', { name: item }).click();
  }

  async confirm(): Promise<void> {
    await this.page.locator('dialog .solid').click();
  }

  async conversationId(): Promise<string> {
    const kept = await this.page.evaluate(() => lobbyProbe.kept());
    return (JSON.parse(kept['lobby.chat'] ?? '{}') as { id?: string }).id ?? '';
  }
}
