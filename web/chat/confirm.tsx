/** Asks once more before a conversation ends or a device forgets. */

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChatPage, Question, Words } from './page.ts';

export function Confirm({ page }: { readonly page: ChatPage }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = page.asking.value;
  const words = page.look.words.value;
  useEffect(() => {
    if (question && !dialog.current?.open) dialog.current?.showModal();
    if (!question && dialog.current?.open) dialog.current.close();
  }, [question]);
  const close = (): void => {
    page.asking.value = undefined;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // The dialog closes itself by Escape; the window on the bank's page must not.
    if (event.key === 'Escape') event.stopPropagation();
  };
  const text = question && textOf(question, words);
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={close} onKeyDown={onKeyDown}>
      {question && text && (
        <>
          <h2 id="confirm-title">{text.title}</h2>
          <p class="confirm-body">{text.body}</p>
          <div class="confirm-buttons">
            <button type="button" class="plain" onClick={close}>
              {words.cancel}
            </button>
            <button
              type="button"
              class="solid"
              onClick={() => {
                close();
                act(question, page);
              }}
            >
              {text.yes}
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}

function textOf(
  question: Question,
  words: Words,
): { readonly title: string; readonly body: string; readonly yes: string } {
  switch (question) {
    case 'end':
      return { title: words.endTitle, body: words.endBody, yes: words.confirmEnd };
    case 'new':
      return { title: words.newTitle, body: words.newBody, yes: words.confirmNew };
    case 'forget':
      return { title: words.forgetTitle, body: words.forgetBody, yes: words.confirmForget };
  }
}

function act(question: Question, { session }: ChatPage): void {
  switch (question) {
    case 'end':
      session.end();
      break;
    case 'new':
      session.startNew();
      break;
    case 'forget':
      session.forget();
      break;
  }
}
