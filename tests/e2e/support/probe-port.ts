/** What the tests ask of a page from inside it. Declared without the browser's types; `tests/e2e/browser/probe.ts` is one. */

export interface Finding {
  readonly rule: string;
  readonly impact: string;
  readonly targets: readonly string[];
}

export interface Probe {
  /** Everything the page's own security policy refused. */
  readonly violations: readonly string[];
  /** The elements that stick out of the window to the right or left. */
  overflowing(): readonly string[];
  /** The accessibility findings that would keep people out. Needs axe in the page. */
  seriousFindings(): Promise<readonly Finding[]>;
  /** An Enter that belongs to an input method: still composing, or as Safari reports it just after. */
  pressInputMethodEnter(browser: 'chromium' | 'safari'): void;
  /** What the page keeps on the device. */
  kept(): Readonly<Record<string, string>>;
  keep(key: string, value: string): void;
  /** The bank's newest row on the page. */
  lastAnswer(): number;
  /** Posts a message to this very window, as any script on the page could. */
  say(message: object): void;
  focused(): string;
  rootFontSize(): number;
  scrollLogTo(top: number): void;
  logTop(): number;
  distanceFromEnd(): number;
}
