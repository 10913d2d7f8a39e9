/** What stands in a message for certain, whatever its markup became on a page: its letters and digits. */

const LISTED = /^\d+\. /gm;

export function bare(text: string): string {
  return text.replace(LISTED, '').replace(/[^\p{L}\p{N}\p{Extended_Pictographic}]/gu, '');
}
