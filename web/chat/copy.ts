/** A copy of the conversation for the customer to keep. */

import type { ChatPage } from './page.ts';

export async function saveCopy({ look, session, told, now }: ChatPage): Promise<void> {
  try {
    const text = await session.copy();
    download(text, `${look.words.value.copyName}-${new Date(now()).toISOString().slice(0, 10)}.txt`);
    told.value = look.words.value.copySaved;
  } catch {
    told.value = look.words.value.copyFailed;
  }
}

function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the file after the click; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
