/** What the customer should know about the line, and the page's short notices. */

import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChatPage } from './page.ts';

const TOLD_MS = 4_000;

/** Always in the page, so that a screen reader says what appears in it. */
export function Banner({ page }: { readonly page: ChatPage }): JSX.Element {
  const { session, look } = page;
  const words = look.words.value;
  const status = session.phase.value === 'forgotten' ? 'live' : session.status.value;
  const hotline = session.settings.value?.hotline;
  useRestoredNotice(page);
  return (
    <div role="status" class={`banner banner-${status}`}>
      {status === 'connecting' && <p class="late">{words.connecting}</p>}
      {status === 'busy' && <p>{words.busy}</p>}
      {status === 'broken' && <p>{words.broken}</p>}
      {hotline && (status === 'busy' || status === 'broken') && (
        <p>
          <a href={`tel:${hotline}`}>{words.hotline(hotline)}</a>
        </p>
      )}
    </div>
  );
}

/** Says that the connection is back, but only after it was seen to be away. */
function useRestoredNotice({ session, look, told }: ChatPage): void {
  const wasAway = useSignal(false);
  useSignalEffect(() => {
    const status = session.status.value;
    if (status === 'broken' || status === 'busy') wasAway.value = true;
    if (status !== 'live' || !wasAway.peek()) return;
    wasAway.value = false;
    told.value = look.words.peek().restored;
  });
}

export function Told({ page }: { readonly page: ChatPage }): JSX.Element {
  const { told } = page;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    timer.current = setTimeout(() => {
      told.value = undefined;
    }, TOLD_MS);
    return () => clearTimeout(timer.current);
  }, [told.value]);
  return (
    <div role="status" class="told">
      {told.value && <p class="told-text">{told.value}</p>}
    </div>
  );
}
