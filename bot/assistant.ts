/** The assistant, with what the bank knows and what it may say. */

import { fileURLToPath } from 'node:url';
import { shelve } from '../dialogs/shelf.ts';
import { en } from '../dialogs/strings/en.ts';
import { zh } from '../dialogs/strings/zh.ts';
import { readArticles } from '../knowledge/article.ts';
import { createLocalRecognizer } from '../knowledge/recognizer.ts';
import { loadRates, type RateTables, seedDemoRates } from '../record/rates.ts';
import type { Database } from '../record/types.ts';
import { BANK } from './bank.ts';
import type { Config } from './config.ts';
import { createBotRunner } from './runner.ts';
import type { BotRunner } from './turn.ts';

/** The rate tables as they were read last. */
export interface ReloadedRates extends RateTables {
  reload(): Promise<void>;
}

/** Rates change by the day without a restart; the demo's are made as the days go by. */
export async function openRates(config: Config, database: Database): Promise<ReloadedRates> {
  const read = async (): Promise<RateTables> => {
    if (config.mode === 'demo') await seedDemoRates(database);
    return loadRates(database);
  };
  let tables = await read();
  return {
    render: (table, language, today) => tables.render(table, language, today),
    async reload() {
      tables = await read();
    },
  };
}

/** What every turn is run on. */
export function createAssistant(config: Config, rates: RateTables, now: () => Date): BotRunner {
  const articles = readArticles(fileURLToPath(new URL('../knowledge/articles/', import.meta.url)));
  const collaborators = {
    recognizer: createLocalRecognizer(articles),
    articles: shelve(articles),
    rates,
    strings: { zh, en },
    bank: BANK,
  };
  return createBotRunner({ collaborators, zone: config.bank.timeZone, now });
}
