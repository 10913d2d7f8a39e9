/** The bank's own page around the chat, when it is opened through `/embed.js`: what the two tell each other. */

import { type ReadonlySignal, signal } from '@preact/signals';

export interface Host {
  /** False when the chat has a browser tab of its own. */
  readonly embedded: boolean;
  /** Whether the window is open on the bank's page. */
  readonly shown: ReadonlySignal<boolean>;
  close(): void;
  tellUnread(count: number): void;
}

/** A tab of its own. */
export const ownTab: Host = {
  embedded: false,
  shown: signal(true),
  close: () => undefined,
  tellUnread: () => undefined,
};

/**
 * Speaks only with the window that framed this page, and only at the origin it named when it did.
 * A false name gains nothing: who may frame the page is decided by its `frame-ancestors`.
 */
export function hostOf(page: Window, address: URLSearchParams): Host {
  const origin = address.get('host');
  if (address.get('embed') !== '1' || origin === null || page.parent === page) return ownTab;
  const shown = signal(true);
  page.addEventListener('message', (event) => {
    if (event.source !== page.parent || event.origin !== origin) return;
    if (event.data?.lobby === 'shown') shown.value = event.data.shown === true;
  });
  const tell = (message: object): void => page.parent.postMessage(message, origin);
  tell({ lobby: 'ready' });
  return {
    embedded: true,
    shown,
    close: () => tell({ lobby: 'close' }),
    tellUnread: (count) => tell({ lobby: 'unread', count }),
  };
}
