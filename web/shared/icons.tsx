/** The pages' few drawings. They say nothing to a screen reader: what they stand for is always written beside them or in a label. */

import type { JSX } from 'preact';

function Icon({ path }: { readonly path: string }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

export const SendIcon = (): JSX.Element => <Icon path="M12 19.5V5m0 0-6 6m6-6 6 6" />;
export const AttachIcon = (): JSX.Element => (
  <Icon path="m19 11-7.3 7.3a4.6 4.6 0 0 1-6.5-6.5L12.5 4.5a3.1 3.1 0 0 1 4.4 4.4l-7.2 7.2a1.5 1.5 0 0 1-2.2-2.2L14.2 7.3" />
);
export const PersonIcon = (): JSX.Element => (
  <Icon path="M4.5 14v-2a7.5 7.5 0 0 1 15 0v2m-15 0a2 2 0 0 1 2-2h.5v5h-.5a2 2 0 0 1-2-2Zm15 0a2 2 0 0 0-2-2H17v5h.5a2 2 0 0 0 2-2Zm0 1v.5a4 4 0 0 1-4 4H13" />
);
export const MenuIcon = (): JSX.Element => <Icon path="M5 7h14M5 12h14M5 17h14" />;
export const CloseIcon = (): JSX.Element => <Icon path="m6 6 12 12M18 6 6 18" />;
export const DownIcon = (): JSX.Element => <Icon path="M12 5v14m0 0-6-6m6 6 6-6" />;
export const FileIcon = (): JSX.Element => (
  <Icon path="M13.5 3.5H7a1.5 1.5 0 0 0-1.5 1.5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5l-5-5Zm0 0v5h5" />
);
export const AlertIcon = (): JSX.Element => (
  <Icon path="M12 8v5m0 3.2v.1M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z" />
);

/** The bank's mark: a light over still water. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="40" height="40" rx="11" />
      <path class="mark-light" d="M20 8.5a8 8 0 0 1 8 8H12a8 8 0 0 1 8-8Z" />
      <path class="mark-water" d="M9 21.5h22M12.5 26h15M16.5 30.5h7" />
    </svg>
  );
}
