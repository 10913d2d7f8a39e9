/** Which processes of Lobby are alive on this database. */

import type { Database } from './types.ts';

/** A process that has not been seen for this long counts as gone. Three heartbeats. */
const GONE_AFTER_S = 30;

/** Says that this process is alive, and tells how many are, this one included. A real small write. */
export async function beat(database: Database, bootId: string): Promise<number> {
  const [row] = await database.query<{ alive: number }>(
    `with me as (
       insert into instance (boot_id) values ($1) on conflict (boot_id) do update set seen_at = now()
     )
     select 1 + count(*)::int as alive from instance
      where boot_id <> $1 and seen_at > now() - $2::int * interval '1 second'`,
    [bootId, GONE_AFTER_S],
    'instance_beat',
  );
  return row?.alive ?? 1;
}

/** This process is leaving: the others need not wait to notice. Also clears away what died long ago. */
export async function leave(database: Database, bootId: string): Promise<void> {
  await database.query(`delete from instance where boot_id = $1 or seen_at < now() - interval '1 day'`, [bootId]);
}
