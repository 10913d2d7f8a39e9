/** Lobby as `npm start` runs it: built. Sources run through a loader are slower, and no bank runs them. */

/** A module of the built program, typed as its source. */
async function built<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../../dist/${path}`, import.meta.url).href)) as Module;
}

export const shippedService = async () => ({
  ...(await built<typeof import('../../bot/app.ts')>('bot/app.js')),
  ...(await built<typeof import('../../bot/config.ts')>('bot/config.js')),
  ...(await built<typeof import('../../bot/log.ts')>('bot/log.js')),
});

export const shippedRecord = async () => ({
  ...(await built<typeof import('../../adapters/postgres/database.ts')>('adapters/postgres/database.js')),
  ...(await built<typeof import('../../record/conversations.ts')>('record/conversations.js')),
  ...(await built<typeof import('../../bot/commit-lane.ts')>('bot/commit-lane.js')),
});
