/** Ranks articles for a question by two witnesses: the nearest single phrasing, and what each article is about as a whole. */

import { indexDocuments, type SearchDocument, type SearchResult } from './search.ts';
import type { Tokens } from './tokenize.ts';

/** How much the whole article counts against its nearest phrasing. Chosen by leave-one-out (see calibration.ts). */
const WHOLE = 3;
/** How many articles each witness may name. */
const NAMED = 20;

/** One article with how near it is to the question: 0 has nothing in common, 1 says the very same. */
export interface Ranked {
  readonly article: number;
  readonly share: number;
}

export interface Ranker {
  /** Has any article this word? */
  knows(token: string): boolean;
  /** Best first. Articles with a 0 in `mask` are left out before ranking. */
  rank(question: Tokens, top: number, mask?: Uint8Array): readonly Ranked[];
}

export function buildRanker(documents: readonly SearchDocument[], articles: number): Ranker {
  const phrasings = indexDocuments(documents, articles);
  const wholes = indexDocuments(joinByArticle(documents), articles);
  return {
    knows: (token) => phrasings.knows(token),
    rank: (question, top, mask) =>
      combine(phrasings.find(question, NAMED, mask), wholes.find(question, NAMED, mask)).slice(0, top),
  };
}

/** All that is asked of one article, as one document. */
function joinByArticle(documents: readonly SearchDocument[]): SearchDocument[] {
  const joined = new Map<number, { words: string[]; common: string[] }>();
  for (const { article, tokens } of documents) {
    const whole = joined.get(article) ?? { words: [], common: [] };
    for (const word of tokens.words) whole.words.push(word);
    for (const token of tokens.common) whole.common.push(token);
    joined.set(article, whole);
  }
  return [...joined].map(([article, tokens]) => ({ article, tokens }));
}

function combine(phrasing: SearchResult, whole: SearchResult): Ranked[] {
  const shares = new Map<number, number>();
  const add = (article: number, share: number) => shares.set(article, (shares.get(article) ?? 0) + share / (1 + WHOLE));
  for (const hit of phrasing.hits) add(hit.article, hit.score / phrasing.equal);
  for (const hit of whole.hits) add(hit.article, (WHOLE * hit.score) / whole.limit);
  return [...shares]
    .map(([article, share]) => ({ article, share }))
    .sort((one, other) => other.share - one.share || one.article - other.article);
}

/** How near the best article is, and how far it is ahead of the second, as a share of its own nearness. */
export function nearness(ranked: readonly Ranked[]): { readonly share: number; readonly lead: number } {
  const [best, second] = ranked;
  return best ? { share: best.share, lead: 1 - (second?.share ?? 0) / best.share } : { share: 0, lead: 0 };
}
