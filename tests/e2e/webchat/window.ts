/** Official Web Chat as a customer uses it: what they see, and what they do. */

import type { Locator, Page } from 'playwright-core';
import type { Side } from '../support/chat.ts';
import { bare } from '../support/words.ts';

/** A message with words in it, bare of markup. */
export interface Row {
  readonly from: Side;
  readonly words: string;
}

export interface SentFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export class WebChatWindow {
  readonly page: Page;
  readonly retry: Locator;
  readonly suggestions: Locator;
  readonly pictures: Locator;
  readonly #field: Locator;

  constructor(page: Page) {
    this.page = page;
    this.#field = page.locator('.webchat__send-box-text-box__input');
    this.retry = page.locator('.webchat__activity-status button');
    this.suggestions = page.locator('.webchat__suggested-actions__button');
    this.pictures = page.locator('.webchat__bubble img');
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.#field.waitFor();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.#field.waitFor();
  }

  async say(text: string): Promise<void> {
    await this.#field.fill(text);
    await this.#field.press('Enter');
  }

  async send(file: SentFile): Promise<void> {
    await this.page.locator('.webchat__upload-button--file-input').setInputFiles(file);
    await this.page.locator('.webchat__send-button').click();
  }

  /** The link by which a file is saved. */
  fileNamed(name: string): Locator {
    return this.page.locator('.webchat__fileContent__buttonLink').filter({ hasText: name });
  }

  async rows(): Promise<Row[]> {
    const texts = this.page.locator('.webchat__bubble .webchat__text-content');
    const shown = await texts.evaluateAll((elements) =>
      elements.map((element) => [
        element.closest('.webchat__bubble--from-user') === null ? 'bank' : 'customer',
        element.textContent,
      ]),
    );
    return shown.map(([from, text]) => ({ from: from as Side, words: bare(text ?? '') }));
  }

  /** Whether the newest picture was loaded and drawn. */
  showsPicture(): Promise<boolean> {
    return this.pictures.last().evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0);
  }

  /** What the page's security policy refused since it was loaded. */
  async violations(): Promise<readonly string[]> {
    return await this.page.evaluate(() => lobbyProbe.violations);
  }
}
