import { expect, test } from 'vitest';
import { firstLanguage } from '../../../web/shared/language.ts';

test.each([
  ['what the customer chose stands above the address', 'en', 'zh', ['zh-CN'], 'en'],
  ['the address stands above the browser', null, 'en', ['zh-CN'], 'en'],
  ['a Chinese browser is met in Chinese', null, null, ['zh-TW', 'en'], 'zh'],
  ['any other first language is met in English', null, null, ['fr-FR', 'zh-CN'], 'en'],
  ['a browser that says nothing is met in Chinese', null, null, [], 'zh'],
  ['a word that is no language counts for nothing', 'klingon', 'xx', ['en'], 'en'],
] as const)('%s', (_name, chosen, asked, preferred, expected) => {
  expect(firstLanguage(chosen, asked, preferred)).toBe(expected);
});
