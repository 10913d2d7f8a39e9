import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexDocuments, type SearchDocument } from '../../knowledge/search.ts';

const say = (text: string, common = '') => ({
  words: text.split(' ').filter(Boolean),
  common: common.split(' ').filter(Boolean),
});
const library = (...texts: readonly string[][]): SearchDocument[] =>
  texts.flatMap((documents, article) => documents.map((text) => ({ article, tokens: say(text) })));

/** BM25 in its textbook form, one document at a time. */
function textbook(documents: readonly SearchDocument[], question: readonly string[], article: number): number {
  const lists = documents.map(({ tokens }) => [...tokens.words, ...tokens.common]);
  const average = lists.reduce((sum, list) => sum + list.length, 0) / lists.length;
  const scores = lists.map((list) =>
    [...new Set(question)].reduce((sum, term) => {
      const tf = list.filter((token) => token === term).length;
      const containing = lists.filter((each) => each.includes(term)).length;
      const idf = Math.log(1 + (lists.length - containing + 0.5) / (containing + 0.5));
      const asked = Math.min(2, question.filter((token) => token === term).length);
      return sum + (tf === 0 ? 0 : (asked * idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * list.length) / average)));
    }, 0),
  );
  return Math.max(...documents.map((document, index) => (document.article === article ? (scores[index] ?? 0) : 0)));
}

describe('search', () => {
  test('scores as BM25 does, and gives an article its best document’s score', () => {
    const documents = library(['lost card', 'card stolen in town'], ['card fee', 'fee of a card card']);
    const search = indexDocuments(documents, 2);
    for (const question of ['card', 'lost card', 'card card card fee', 'town fee of']) {
      for (const { article, score } of search.find(say(question), 2).hits) {
        expect(score).toBeCloseTo(textbook(documents, question.split(' '), article), 4);
      }
    }
  });

  test('finds each article once, best first, no more than asked for', () => {
    const search = indexDocuments(library(['lost card', 'lost'], ['card'], ['fee'], ['card fee']), 4);
    const { hits } = search.find(say('lost card'), 2);
    expect(hits.map((hit) => hit.article)).toEqual([0, 1]);
  });

  test('keeps the articles’ order between equal scores', () => {
    const search = indexDocuments(library(['x'], ['fee'], ['fee'], ['fee']), 4);
    expect(search.find(say('fee'), 3).hits.map((hit) => hit.article)).toEqual([1, 2, 3]);
  });

  test('leaves out what the mask forbids before ranking, so that it takes nobody’s place', () => {
    const search = indexDocuments(library(['card lost'], ['card lost today'], ['card']), 3);
    expect(search.find(say('card lost'), 1, Uint8Array.of(0, 1, 1)).hits.map((hit) => hit.article)).toEqual([1]);
    expect(search.find(say('card lost'), 3, Uint8Array.of(0, 0, 1)).hits.map((hit) => hit.article)).toEqual([2]);
    expect(search.find(say('card lost'), 3, Uint8Array.of(0, 0, 0)).hits).toEqual([]);
  });

  test('finds nothing for words nobody wrote, and in an empty library', () => {
    expect(indexDocuments(library(['card']), 1).find(say('moon'), 3).hits).toEqual([]);
    expect(indexDocuments([], 0).find(say('card'), 3)).toMatchObject({ hits: [] });
  });

  test('measures a question by what an equal phrasing would score: unknown words make it poorer', () => {
    const search = indexDocuments(library(['lost card'], ['card fee'], ['exchange rate']), 3);
    const exact = search.find(say('lost card'), 1);
    expect((exact.hits[0]?.score ?? 0) / exact.equal).toBeCloseTo(1, 4);
    const strange = search.find(say('lost card moon'), 1);
    expect((strange.hits[0]?.score ?? 0) / strange.equal).toBeLessThan(0.7);
    expect(exact.limit).toBeGreaterThan(exact.equal);
  });

  test('leaves nothing behind from one question to the next', () => {
    const search = indexDocuments(library(['lost card', 'card stolen'], ['card fee']), 2);
    const first = search.find(say('card fee'), 2);
    search.find(say('lost card stolen'), 2);
    search.find(say('lost'), 2, Uint8Array.of(0, 1));
    expect(search.find(say('card fee'), 2)).toEqual(first);
  });

  test('in two steps finds what one step finds, over a library too large for one', () => {
    const words = ['card', 'fee', 'rate', 'loan', 'lost', 'code', 'bill', 'cash'];
    const documents = Array.from({ length: 600 }, (_, index) => ({
      article: index % 60,
      tokens: say(
        `${words[index % 8]} ${words[(index * 7 + (index >> 3)) % 8]} w${index % 60}`,
        `${index % 3 === 0 ? 'how do i' : 'what is'} c${index % 60}`,
      ),
    }));
    const search = indexDocuments(documents, 60);
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.integer({ min: 0, max: 59 }), (word, article) => {
        const question = { words: [word, `w${article}`], common: ['how', 'do', `c${article}`] };
        const best = search.find(question, 1).hits[0];
        expect(best?.article).toBe(article);
        expect(best?.score).toBeCloseTo(textbook(documents, [...question.words, ...question.common], article), 3);
      }),
      { numRuns: 60 },
    );
  });
});
