/** Which articles a dialog can get hold of. */

import { describe, expect, it } from 'vitest';
import { shelve } from '../../dialogs/shelf.ts';
import type { Article } from '../../knowledge/types.ts';
import { library } from '../support/library.ts';

const TODAY = '2026-11-23';
const [sample] = library as readonly [Article];

const shelfWith = (change: Partial<Article>) =>
  shelve([{ ...sample, id: 'one', title: 'Its Title', lang: 'en', ...change }]);

describe('the shelf', () => {
  it('hands out an approved article in force, by id and by title in either language', () => {
    const shelf = shelve(library);
    expect(shelf.find('deposit-insurance', 'zh', TODAY)?.title).toBe('存款有保险吗？');
    expect(shelf.titled('存款有保险吗？', 'en', TODAY)?.title).toBe('Are deposits insured?');
    expect(shelf.titled(' are deposits insured？', 'zh', TODAY)?.title).toBe('存款有保险吗？');
    expect(shelf.titled('Are deposits', 'zh', TODAY)).toBeNull();
    expect(shelf.find('nothing', 'zh', TODAY)).toBeNull();
  });

  it.each([
    ['a draft', { approvedBy: null }],
    ['one without a date of approval', { approvedAt: null }],
    ['one whose time is over', { validTo: TODAY }],
    ['one whose time has not come', { validFrom: '2026-11-24' }],
    ['one for signed-in customers', { audience: 'signed-in' }],
    ['one for staff', { audience: 'staff' }],
  ] satisfies readonly (readonly [string, Partial<Article>])[])('never hands out %s', (_, change) => {
    const shelf = shelfWith(change);
    expect(shelf.find('one', 'en', TODAY)).toBeNull();
    expect(shelf.titled('Its Title', 'en', TODAY)).toBeNull();
  });

  it('serves an article on its first day and no longer on its last', () => {
    const shelf = shelfWith({ validFrom: '2026-11-01', validTo: '2026-12-01' });
    const servedOn = (day: string) => shelf.find('one', 'en', day) !== null;
    expect(['2026-10-31', '2026-11-01', '2026-11-30', '2026-12-01'].map(servedOn)).toEqual([false, true, true, false]);
  });
});
