/** `npm run move`: the record from where it is to a PostgreSQL of the bank's own, in one go. */

import { CodedError } from '../../adapters/channel.ts';
import { inCopyTransaction } from '../../adapters/postgres/copy.ts';
import {
  copyRecord,
  keepServiceOut,
  type Loaded,
  loadRecord,
  type Progress,
  refuseWithoutRecord,
} from '../../record/backup.ts';
import { staysHereOrIsEncrypted } from '../config-refusals.ts';
import { type Command, readOption, type Tools, UsageError } from './command.ts';
import { putTheKeyInPlace } from './key-hint.ts';
import { atRecord, knownMigrations, type Place, placeOf } from './place.ts';
import { sayLeftOut } from './restore.ts';
import { count, until } from './say.ts';

const help = `npm run move -- --to DATABASE_URL

Copies the record into an empty PostgreSQL (14 or newer) of the bank's own, table by table
without a file between, in one transaction; everything is read back and compared. The record is
the one the settings name: the private PostgreSQL in DATA_DIR, or another DATABASE_URL. Lobby must
be stopped: what it recorded meanwhile would be lost. The old database is left as it is.

DATABASE_URL is the login that will own the tables; it must be allowed to make tables there. Its
password may stand in PGPASSWORD instead, where other users of this machine do not see it.

Afterwards start Lobby with that DATABASE_URL and the same DATA_KEY (in demo mode: the same
DATA_DIR with its data.key).

  npm run move -- --to 'postgres://lobby@db.bank.example:5432/lobby?sslmode=verify-full'`;

export const move: Command = {
  help,
  async run(words, tools) {
    const to = readTarget(readOption(words, 'to', 'DATABASE_URL'), tools);
    await atRecord(tools, 'leave', async (from) => {
      tools.say(`Moving ${from.name} to ${to.name}.`);
      const { progress, total } = count(tools);
      const { header, leftOut } = await copyAcross(from, to, tools, progress);
      sayLeftOut(leftOut, tools);
      tools.say(
        `Moved ${total()}, read back and compared. The old database is left as it was; do not start Lobby on it again.`,
      );
      tools.say(`Now set DATABASE_URL to ${to.name} and start Lobby.`);
      tools.say(await putTheKeyInPlace(tools.config, header));
    });
  },
};

function copyAcross(from: Place, to: Place, { signal }: Tools, progress: Progress): Promise<Loaded> {
  const source = { connectionString: from.connectionString, applicationName: 'lobby-move', mode: 'read' } as const;
  const target = { connectionString: to.connectionString, applicationName: 'lobby-move', mode: 'write' } as const;
  return inCopyTransaction(source, async (old) => {
    // No other Lobby gets at the private PostgreSQL while it is ours.
    await (from.embedded ? refuseWithoutRecord(old) : keepServiceOut(old));
    const migrations = await knownMigrations();
    return inCopyTransaction(target, (empty) =>
      loadRecord(
        empty,
        until(
          signal,
          copyRecord(old, () => {}),
        ),
        { migrations, stale: false, progress },
      ),
    );
  });
}

function readTarget(url: string, { config }: Tools): Place {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError('--to must be the address of a PostgreSQL database: postgres://login@host:port/database.');
  }
  if (config.mode === 'production' && !staysHereOrIsEncrypted(url)) {
    throw new CodedError(
      'target_unencrypted',
      'The address goes to another machine unencrypted: add sslmode=verify-full.',
    );
  }
  return placeOf(url);
}
