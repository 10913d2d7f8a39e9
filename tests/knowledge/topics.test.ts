import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readTopics } from '../../knowledge/topics.ts';

const file = fileURLToPath(new URL('../../knowledge/intents/topics.tsv', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lobby-topics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('there are 103 topics in 18 domains, of the kinds the bank counts', () => {
  const topics = [...readTopics(file).values()];
  const count = (of: (topic: (typeof topics)[number]) => boolean) => topics.filter(of).length;
  expect(topics).toHaveLength(103);
  expect(new Set(topics.map((topic) => topic.domain)).size).toBe(18);
  expect(['answer', 'personal', 'person'].map((handling) => count((topic) => topic.handling === handling))).toEqual([
    63, 20, 20,
  ]);
  expect([2, 1, 0].map((urgent) => count((topic) => topic.urgent === urgent))).toEqual([5, 13, 85]);
  expect(count((topic) => topic.leadProduct !== null)).toBe(28);
});

test('nothing is sold where a person is needed', () => {
  const topics = [...readTopics(file).values()];
  expect(topics.filter((topic) => topic.handling === 'person' && topic.leadProduct !== null)).toEqual([]);
});

const HEADER = 'topic\tdomain\thandling\turgent\tlead_product\tcomplaint_business\n';
test.each([
  ['without its header', 'card.lost\tcards\tH\t2\t-\tx\n', /:1: the first line must name the columns/],
  ['with a line too short', `${HEADER}card.lost\tcards\tH\n`, /:2: /],
  ['with an unknown handling', `${HEADER}card.lost\tcards\tX\t2\t-\tx\n`, /:2: /],
  [
    'with a topic twice',
    `${HEADER}card.lost\tcards\tH\t2\t-\tx\ncard.lost\tcards\tH\t2\t-\tx\n`,
    /:3: card\.lost is listed twice/,
  ],
])('a list %s is refused with its line', (_, text, says) => {
  const path = join(folder, 'topics.tsv');
  writeFileSync(path, text);
  expect(() => readTopics(path)).toThrow(says);
});
