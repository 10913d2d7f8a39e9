/** What a customer can do with the conversation as a whole. */

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { MenuIcon } from '../shared/icons.tsx';
import { saveCopy } from './copy.ts';
import type { ChatPage, Question } from './page.ts';

interface Item {
  readonly label: string;
  readonly act: () => void;
}

export function Menu({ page }: { readonly page: ChatPage }): JSX.Element {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const items = itemsOf(page);

  const close = (): void => {
    open.value = false;
    button.current?.focus();
  };
  // Before the next key can arrive.
  useLayoutEffect(() => {
    if (!open.value) return;
    itemButtons(box.current)[0]?.focus();
    const closeOutside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener('pointerdown', closeOutside);
    return () => document.removeEventListener('pointerdown', closeOutside);
  }, [open.value]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Tab') open.value = false;
    if (event.key !== 'Escape' && !moveFocus(box.current, event.key)) return;
    event.preventDefault();
    if (event.key === 'Escape') close();
  };

  return (
    <div class="menu" ref={box}>
      <button
        type="button"
        class="quiet square"
        ref={button}
        aria-label={page.look.words.value.menu}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <MenuIcon />
      </button>
      {open.value && (
        <div class="menu-list" role="menu" tabIndex={-1} onKeyDown={onKeyDown} aria-label={page.look.words.value.menu}>
          {items.map(({ label, act }) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                act();
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function itemsOf(page: ChatPage): readonly Item[] {
  const { look, session, asking } = page;
  const words = look.words.value;
  const ask = (question: Question) => (): void => {
    asking.value = question;
  };
  const phase = session.phase.value;
  const startNew = { label: words.menuNew, act: phase === 'open' ? ask('new') : () => session.startNew() };
  if (phase === 'forgotten') return [startNew];
  return [
    { label: words.menuCopy, act: () => void saveCopy(page) },
    ...(phase === 'open' ? [{ label: words.menuEnd, act: ask('end') }] : []),
    startNew,
    ...signInItems(page, ask('signIn')),
    { label: words.menuForget, act: ask('forget') },
  ];
}

function signInItems({ session, look }: ChatPage, ask: () => void): readonly Item[] {
  const words = look.words.value;
  if (session.signedIn.value !== undefined) return [{ label: words.signOut, act: () => session.signOut() }];
  const offered = session.phase.value === 'open' && (session.settings.value?.demoCustomers.length ?? 0) > 0;
  return offered ? [{ label: words.signIn, act: ask }] : [];
}

/** Arrow keys go round; true when the key was one of theirs. */
function moveFocus(box: HTMLElement | null, key: string): boolean {
  const buttons = itemButtons(box);
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const target = targets[key];
  if (target === undefined) return false;
  buttons.at(target % buttons.length)?.focus();
  return true;
}

function itemButtons(box: HTMLElement | null): readonly HTMLElement[] {
  return [...(box?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
}
