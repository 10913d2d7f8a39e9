/** Where a run writes: a folder of its own. */

import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Under root, PostgreSQL runs as another user, who must be able to enter. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lobby-prove-'));
  await chmod(folder, 0o755);
  return folder;
}
