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

/** What a scroller of its own hides is not sticking out. */
function isInScroller(element: Element): boolean {
  return element.closest('.table, .aside') !== null;
}

const probe: Probe = {
  violations,
  overflowing() {
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll('body *')]
      .filter((element) => !isInScroller(element))
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
      })
      .map((element) => `${element.tagName}.${element.getAttribute('class') ?? ''}`);
  },
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
    const event = {
      key: 'Enter',
      code: 'Enter',
      bubbles: true,
      cancelable: true,
      isComposing: composing,
      keyCode: 229,
    };
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
