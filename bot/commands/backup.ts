/** `npm run backup`: the whole record in one file, as it stood at one moment, while Lobby goes on working. */

import { inCopyTransaction } from '../../adapters/postgres/copy.ts';
import { checkBackup, copyRecord, refuseWithoutRecord } from '../../record/backup.ts';
import type { BackupHeader } from '../../record/backup-file.ts';
import { type Command, readOption, type Tools } from './command.ts';
import { keepTheKey } from './key-hint.ts';
import { atRecord, type Place } from './place.ts';
import { count, describe, sizeInWords, until } from './say.ts';
import { makeFile, type NewFile } from './whole-file.ts';

const help = `npm run backup -- --to FILE

Writes the whole record to FILE: every table as it stood at one moment, packed with gzip, with a
SHA-256 sum of each table. Lobby may be running, and goes on working; when it is not, its private
PostgreSQL is started for the moment. The record is the one the settings name: DATABASE_URL, or
the private PostgreSQL in DATA_DIR.

FILE must not exist. It is written under another name, read back and checked, and gets its own
name last: there is never half a backup. It holds what customers said, so only its owner may read
it. It does not hold DATA_KEY (in demo mode: data.key in DATA_DIR), without which it cannot be
used: keep that too, in another place.

  npm run backup -- --to /backups/lobby-$(date +%F).gz`;

export const backup: Command = {
  help,
  async run(words, tools) {
    const to = readOption(words, 'to', 'FILE');
    await makeFile(to, async (file) => {
      const { header, total } = await atRecord(tools, 'look', (place) => writeBackup(place, file, tools));
      const bytes = await file.finish();
      tools.say(`${file.path}: ${describe(header)}; ${total}, ${sizeInWords(bytes)}. Read back and checked.`);
      tools.say(await keepTheKey(tools.config, header));
    });
  },
};

async function writeBackup(
  place: Place,
  file: NewFile,
  tools: Tools,
): Promise<{ readonly header: BackupHeader; readonly total: string }> {
  tools.say(`Backing up ${place.name}.`);
  const { progress, total } = count(tools);
  const { connectionString } = place;
  await inCopyTransaction({ connectionString, applicationName: 'lobby-backup', mode: 'read' }, async (record) => {
    await refuseWithoutRecord(record);
    await file.write(until(tools.signal, copyRecord(record, progress)));
  });
  return { header: await checkBackup(until(tools.signal, file.read()), () => {}), total: total() };
}
