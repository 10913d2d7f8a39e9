/** Writes the table of settings into the README, as the schema in `bot/config.ts` has it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTable } from '../bot/config.ts';

const readme = new URL('../README.md', import.meta.url);
const table = `<!-- settings -->\n${settingsTable()}\n<!-- /settings -->`;
const text = readFileSync(readme, 'utf8');
writeFileSync(
  readme,
  text.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, () => table),
);
