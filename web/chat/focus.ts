/** Where the keyboard goes when what it was on has done its work and is gone. */

/** To the message field; on a touch screen to the conversation, because a field would raise the keyboard over it. */
export function focusOnward(): void {
  const next = matchMedia('(pointer: fine)').matches ? 'message' : 'log';
  document.getElementById(next)?.focus({ preventScroll: true });
}
