/** Where the customer writes. Enter sends, but never while an input method is still choosing characters. */

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { AttachIcon, SendIcon } from '../shared/icons.tsx';
import type { ChatPage } from './page.ts';

const MAX_TEXT = 4_000;
/** From here on the customer is told how much room is left. */
const NEAR_THE_LIMIT = 300;
/** Safari ends a composition before it reports the Enter that ended it, under this code. */
const KEY_OF_INPUT_METHOD = 229;

export function Composer({ page }: { readonly page: ChatPage }): JSX.Element {
  const { session, look, host } = page;
  const words = look.words.value;
  const draft = useSignal('');
  const field = useRef<HTMLTextAreaElement>(null);
  const left = (session.settings.value?.maxText ?? MAX_TEXT) - draft.value.length;
  const canSend = draft.value.trim() !== '' && left >= 0;

  const send = (): void => {
    if (!canSend) return;
    session.say(sendable(draft.value));
    draft.value = '';
    field.current?.focus();
  };
  useLayoutEffect(() => growToFit(field.current), [draft.value, look.large.value]);
  useEffect(() => {
    if (host.shown.value && matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true });
  }, [host.shown.value]);

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {session.settings.value?.uploads && <Attach page={page} />}
      <div class="field">
        <textarea
          id="message"
          ref={field}
          rows={1}
          value={draft.value}
          placeholder={words.placeholder}
          aria-label={words.composer}
          aria-invalid={left < 0}
          aria-describedby="room"
          enterkeyhint="send"
          autocomplete="off"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (!isSendKey(event)) return;
            event.preventDefault();
            send();
          }}
        />
        <p id="room" class={left < 0 ? 'room over-limit' : 'room'} role="status">
          {left < 0 && words.tooLong(-left)}
          {left >= 0 && left <= NEAR_THE_LIMIT && words.left(left)}
        </p>
      </div>
      <button type="submit" class="send" aria-label={words.send} aria-disabled={!canSend}>
        <SendIcon />
      </button>
    </form>
  );
}

function Attach({ page }: { readonly page: ChatPage }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="quiet square"
        aria-label={page.look.words.value.attach}
        onClick={() => input.current?.click()}
      >
        <AttachIcon />
      </button>
      <input
        ref={input}
        type="file"
        hidden
        onChange={(event) => {
          for (const file of event.currentTarget.files ?? []) page.session.sendFile(file);
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}

function isSendKey(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey) return false;
  return !event.isComposing && event.keyCode !== KEY_OF_INPUT_METHOD;
}

/** Without what no record can hold: NUL, and halves of characters. */
function sendable(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '')
    .trim();
}

/** As tall as what is written; the style sheet sets the limit. */
function growToFit(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
