/** Runs inside the page under test, before the page's own scripts. */

import type { Finding, Probe } from '../support/probe-port.ts';

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[] }[];
  }[];
}

declare const axe: { run(): Promise<AxeResult> };

const violations: string[] = [];
document.addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});

function log(): HTMLElement {
  return document.getElementById('log') as HTMLElement;
}

function name(element: Element | null): string {
  if (!element) return '';
  return element.getAttribute('aria-label') ?? (element.id || element.textContent || element.tagName);
}

/** What a scroller of its own hides is not sticking out; a long name of a customer may end in dots. */
function mayBeCut(element: Element): boolean {
  return element.closest('.table, .aside, .head-what, textarea') !== null;
}

function sticksOut(element: Element): boolean {
  const { width, left, right } = element.getBoundingClientRect();
  return width > 0 && (right > document.documentElement.clientWidth + 0.5 || left < -0.5);
}

/** Cut off inside an element that looks as if it fitted. */
function holdsTooMuch(element: Element): boolean {
  return element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
}

const probe: Probe = {
  violations,
  overflowing: () =>
    [...document.querySelectorAll('body *')]
      .filter((element) => !mayBeCut(element) && (sticksOut(element) || holdsTooMuch(element)))
      .map((element) => `${element.tagName}.${element.getAttribute('class') ?? ''}`),
  async seriousFindings() {
    const result = await axe.run();
    return result.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, impact, nodes }): Finding => ({
          rule: id,
          impact: impact ?? '',
          targets: nodes.map((node) => node.target.join(' ')),
        }),
      );
  },
  pressInputMethodEnter(browser) {
    const composing = browser === 'chromium';
    // Each browser's report alone has to be enough.
    const sign = composing ? { isComposing: true, keyCode: 13 } : { isComposing: false, keyCode: 229 };
    const event = { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true, ...sign };
    document.getElementById('message')?.dispatchEvent(new KeyboardEvent('keydown', event));
  },
  kept: () => Object.fromEntries(Object.entries(localStorage)),
  keep: (key, value) => localStorage.setItem(key, value),
  lastAnswer: () =>
    Math.max(
      0,
      ...[...document.querySelectorAll<HTMLElement>('[data-from="bank"]')].map((row) => Number(row.dataset.seq)),
    ),
  say: (message) => postMessage(message, '*'),
  focused: () => name(document.activeElement),
  rootFontSize: () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
  scrollLogTo(top) {
    log().scrollTop = top;
  },
  logTop: () => log().scrollTop,
  distanceFromEnd: () => log().scrollHeight - log().scrollTop - log().clientHeight,
};

Object.assign(globalThis, { lobbyProbe: probe });
