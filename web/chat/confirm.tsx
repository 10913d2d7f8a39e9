/** Asks once more before a conversation ends or a device forgets, and whom to sign in as in the demo. */

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChatPage, Question, Words } from './page.ts';

interface Choice {
  readonly label: string;
  readonly act: () => void;
}

interface Asked {
  readonly title: string;
  readonly body: string;
  readonly choices: readonly Choice[];
}

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
  // The dialog closes itself by Escape; the window on the bank's page must not.
  const onKeyDown = (event: KeyboardEvent): void => event.stopPropagation();
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="asked" onClose={close} onKeyDown={onKeyDown}>
      {question && <AskedView asked={askedBy(question, page)} words={words} close={close} />}
    </dialog>
  );
}

interface AskedProps {
  readonly asked: Asked;
  readonly words: Words;
  readonly close: () => void;
}

function AskedView({ asked, words, close }: AskedProps): JSX.Element {
  const isList = asked.choices.length > 1;
  return (
    <>
      <h2 id="asked">{asked.title}</h2>
      <p class="confirm-body">{asked.body}</p>
      <div class={isList ? 'confirm-buttons confirm-many' : 'confirm-buttons'}>
        <button type="button" class={isList ? 'quiet' : 'plain'} onClick={close}>
          {words.cancel}
        </button>
        {asked.choices.map(({ label, act }) => (
          <button
            key={label}
            type="button"
            class={isList ? 'plain' : 'solid'}
            onClick={() => {
              close();
              act();
            }}
          >
            {label}
          </button>
        ))}
      </div>
    </>
  );
}

function askedBy(question: Question, page: ChatPage): Asked {
  const { session, look } = page;
  const words = look.words.value;
  const one = (label: string, act: () => void): readonly Choice[] => [{ label, act }];
  switch (question) {
    case 'end':
      return { title: words.endTitle, body: words.endBody, choices: one(words.confirmEnd, () => session.end()) };
    case 'new':
      return { title: words.newTitle, body: words.newBody, choices: one(words.confirmNew, () => session.startNew()) };
    case 'forget':
      return {
        title: words.forgetTitle,
        body: words.forgetBody,
        choices: one(words.confirmForget, () => session.forget()),
      };
    case 'signIn':
      return { title: words.signIn, body: words.signInBody, choices: demoCustomers(page) };
  }
}

function demoCustomers({ session, look, told }: ChatPage): readonly Choice[] {
  const customers = session.settings.value?.demoCustomers ?? [];
  return customers.map((customer) => ({
    label: customer.name,
    act: () => {
      session.signIn(customer).catch(() => {
        told.value = look.words.value.signInFailed;
      });
    },
  }));
}
