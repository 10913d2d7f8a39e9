/** A process that migrates one database and says what it applied: the tests start several at once. */

import { openDatabase } from '../../adapters/postgres/database.ts';
import { migrate, readMigrations } from '../../record/database.ts';

const [connectionString = '', folder = ''] = process.argv.slice(2);
const database = await openDatabase({ connectionString, max: 1, statementTimeoutMs: 0, lockTimeoutMs: 100 });
process.stdout.write(JSON.stringify(await migrate(database, await readMigrations(folder))));
await database.close();
