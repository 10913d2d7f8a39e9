/** `npm run restore`: a backup into an empty database, whole or not at all. */

import { CodedError } from '../../adapters/channel.ts';
import { inCopyTransaction } from '../../adapters/postgres/copy.ts';
import { checkBackup, loadRecord, migrationsOf } from '../../record/backup.ts';
import { type Command, readOption, type Tools } from './command.ts';
import { putTheKeyInPlace } from './key-hint.ts';
import { atRecord, knownMigrations } from './place.ts';
import { count, describe, until } from './say.ts';
import { readPacked } from './whole-file.ts';

const help = `npm run restore -- --from FILE

Loads a backup into the database the settings name: DATABASE_URL, or the private PostgreSQL in
DATA_DIR, which is made when it is not there. That database must be empty, and no Lobby may be
running on it. An older Lobby's backup is brought up to date; a newer one's is refused.

FILE is read and checked before anything is touched; then everything is loaded, read back and
compared in one transaction. Whatever goes wrong on the way, the database stays empty.

Messages that were waiting to be sent when the backup was taken may have been sent since. Those
that must arrive are sent again; the others are not, and stand in: npm run outbox -- list

  npm run restore -- --from /backups/lobby-2026-11-23.gz`;

export const restore: Command = {
  help,
  async run(words, tools) {
    const from = readOption(words, 'from', 'FILE');
    const migrations = await knownMigrations();
    tools.say(`Checking ${from}.`);
    const header = await checkBackup(until(tools.signal, readPacked(from)), () => {});
    migrationsOf(header, migrations);
    tools.say(`It is whole: ${describe(header)}.`);
    if (header.demo) refuseDemoForBank(tools);
    await atRecord(tools, 'fill', async (place) => {
      tools.say(`Loading it into ${place.name}.`);
      const { progress, total } = count(tools);
      const { connectionString } = place;
      const loaded = await inCopyTransaction(
        { connectionString, applicationName: 'lobby-restore', mode: 'write' },
        (empty) => loadRecord(empty, until(tools.signal, readPacked(from)), { migrations, stale: true, progress }),
      );
      sayLeftOut(loaded.leftOut, tools);
      tools.say(`Restored ${total()}, read back and compared.`);
    });
    tools.say(await putTheKeyInPlace(tools.config, header));
  },
};

function refuseDemoForBank({ config }: Tools): void {
  if (config.mode === 'demo') return;
  throw new CodedError(
    'demo_backup',
    'This is a demo’s record, and LOBBY_MODE is production: a bank does not work on it.',
  );
}

export function sayLeftOut(tables: readonly string[], { say }: Pick<Tools, 'say'>): void {
  if (tables.length > 0) say(`Left out, since Lobby does not make such tables: ${tables.join(', ')}.`);
}
