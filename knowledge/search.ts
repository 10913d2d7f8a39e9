/** Finds the articles nearest to a question: BM25 over titles and phrasings, in an index that never changes once built. */

import type { Tokenizer, Tokens } from './tokenize.ts';
import type { Article } from './types.ts';

/** How fast a repeated word stops counting. */
const K1 = 1.2;
/** How much a long phrasing is held against it. */
const B = 0.75;
/** A word said over and over in a question counts no more than twice. */
const QUERY_TF = 2;
/** How many documents the first step, by words alone, hands to the second. */
const CANDIDATES = 50;

/** One title or one phrasing of an article. `article` is its position in the list the index was built from. */
export interface SearchDocument {
  readonly article: number;
  readonly tokens: Tokens;
}

/** One article found, with the score of its best document. */
export interface Hit {
  readonly article: number;
  readonly score: number;
}

/** What a question found. */
export interface SearchResult {
  /** Best first, each article once. */
  readonly hits: readonly Hit[];
  /** What a document equal to the question would score: the measure of how near the best one is. */
  readonly equal: number;
  /** What no document can exceed, however often it says the question's words. */
  readonly limit: number;
}

/** An immutable index. To change what is known, build another and put it in this one's place. */
export interface Search {
  readonly documents: number;
  /** Has any document this word? */
  knows(token: string): boolean;
  /** The best `top` articles. Those with a 0 in `mask` are left out before ranking, so they never take a place. */
  find(question: Tokens, top: number, mask?: Uint8Array): SearchResult;
}

/** Builds the index over every title and phrasing. Bodies are not searched: customers do not ask in the bank's words. */
export function buildSearch(articles: readonly Asked[], tokenizer: Tokenizer): Search {
  return indexDocuments(documentsOf(articles, tokenizer), articles.length);
}

/** The part of an article that questions are matched with. */
export type Asked = Pick<Article, 'lang' | 'title' | 'phrasings'>;

export function documentsOf(articles: readonly Asked[], tokenizer: Tokenizer): SearchDocument[] {
  return articles.flatMap((entry, article) =>
    [entry.title, ...entry.phrasings]
      .filter((text) => text !== '')
      .map((text) => ({ article, tokens: tokenizer.tokens(text, entry.lang) })),
  );
}

/** Postings in one direction: the items `[starts[row], starts[row + 1])` with their weights. */
interface Rows {
  readonly starts: Uint32Array;
  readonly items: Uint32Array;
  readonly weights: Float32Array;
}

interface Index {
  readonly terms: ReadonlyMap<string, number>;
  readonly idf: Float32Array;
  /** Term to documents. */
  readonly inverted: Rows;
  /** Document to terms. */
  readonly forward: Rows;
  readonly articleOf: Uint32Array;
  readonly articles: number;
  readonly averageLength: number;
}

export function indexDocuments(documents: readonly SearchDocument[], articles: number): Search {
  const index = weigh(documents, articles);
  const scratch = {
    scores: new Float32Array(documents.length),
    touched: new Uint32Array(documents.length),
    queryTf: new Float32Array(index.terms.size),
    best: new Float32Array(articles),
  };
  return {
    documents: documents.length,
    knows: (token) => index.terms.has(token),
    find: (question, top, mask) => find(index, scratch, question, top, mask),
  };
}

function weigh(documents: readonly SearchDocument[], articles: number): Index {
  const terms = new Map<string, number>();
  const counts = documents.map((document) => countTerms(document.tokens, terms));
  const lengths = documents.map((document) => lengthOf(document.tokens));
  const averageLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, documents.length);
  const inDocuments = new Uint32Array(terms.size);
  for (const count of counts) for (const term of count.keys()) inDocuments[term] = at(inDocuments, term) + 1;
  const idf = Float32Array.from(inDocuments, (count) => inverseFrequency(documents.length, count));
  const forward = packRows(
    counts.map((count, document) =>
      [...count].map(
        ([term, tf]) => [term, at(idf, term) * saturate(tf, (lengths[document] ?? 0) / averageLength)] as const,
      ),
    ),
  );
  return {
    terms,
    idf,
    inverted: transpose(forward, terms.size),
    forward,
    articleOf: Uint32Array.from(documents, (document) => document.article),
    articles,
    averageLength,
  };
}

function countTerms(tokens: Tokens, terms: Map<string, number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const token of all(tokens)) {
    const term = terms.get(token) ?? terms.size;
    terms.set(token, term);
    counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return counts;
}

function all(tokens: Tokens): readonly string[] {
  return tokens.common.length === 0 ? tokens.words : [...tokens.words, ...tokens.common];
}

function lengthOf(tokens: Tokens): number {
  return tokens.words.length + tokens.common.length;
}

function inverseFrequency(documents: number, containing: number): number {
  return Math.log(1 + (documents - containing + 0.5) / (containing + 0.5));
}

function saturate(tf: number, relativeLength: number): number {
  return (tf * (K1 + 1)) / (tf + K1 * (1 - B + B * relativeLength));
}

function packRows(rows: readonly (readonly (readonly [number, number])[])[]): Rows {
  const total = rows.reduce((sum, row) => sum + row.length, 0);
  const packed = {
    starts: new Uint32Array(rows.length + 1),
    items: new Uint32Array(total),
    weights: new Float32Array(total),
  };
  let next = 0;
  rows.forEach((row, position) => {
    for (const [item, weight] of row) {
      packed.items[next] = item;
      packed.weights[next] = weight;
      next += 1;
    }
    packed.starts[position + 1] = next;
  });
  return packed;
}

function transpose(rows: Rows, columns: number): Rows {
  const starts = new Uint32Array(columns + 1);
  for (const item of rows.items) starts[item + 1] = at(starts, item + 1) + 1;
  for (let column = 0; column < columns; column += 1) starts[column + 1] = at(starts, column + 1) + at(starts, column);
  const next = starts.slice();
  const turned = { starts, items: new Uint32Array(rows.items.length), weights: new Float32Array(rows.items.length) };
  for (let row = 0; row + 1 < rows.starts.length; row += 1) {
    for (let place = at(rows.starts, row); place < at(rows.starts, row + 1); place += 1) {
      const item = at(rows.items, place);
      const target = at(next, item);
      turned.items[target] = row;
      turned.weights[target] = at(rows.weights, place);
      next[item] = target + 1;
    }
  }
  return turned;
}

/** Working memory of one index, clean between questions. Questions run one after another, never interleaved. */
interface Scratch {
  readonly scores: Float32Array;
  readonly touched: Uint32Array;
  readonly queryTf: Float32Array;
  readonly best: Float32Array;
}

function find(index: Index, scratch: Scratch, question: Tokens, top: number, mask?: Uint8Array): SearchResult {
  const measure = measureOf(index, question);
  if (question.common.length > 0) {
    const candidates = score(index, scratch, question.words, mask);
    if (candidates.length >= CANDIDATES) {
      const rescored = rescore(index, scratch, candidates, question);
      const hits = bestArticles(index, scratch, rescored, top);
      if (hits.length === top) return { hits, ...measure };
    }
  }
  return { hits: bestArticles(index, scratch, scoreAll(index, scratch, all(question), mask), top), ...measure };
}

interface Scored {
  readonly document: number;
  readonly score: number;
}

/** The best documents by some words, at most `CANDIDATES`. */
function score(index: Index, scratch: Scratch, tokens: readonly string[], mask?: Uint8Array): Scored[] {
  const touched = accumulate(index, scratch, tokens);
  const best: Scored[] = [];
  for (let place = 0; place < touched; place += 1) {
    const document = at(scratch.touched, place);
    const value = at(scratch.scores, document);
    scratch.scores[document] = 0;
    const worst = best.at(-1);
    if (best.length === CANDIDATES && worst && value <= worst.score) continue;
    if (mask && at(mask, at(index.articleOf, document)) === 0) continue;
    insert(best, { document, score: value });
  }
  return best;
}

function insert(best: Scored[], scored: Scored): void {
  let place = best.length;
  while (place > 0 && (best[place - 1]?.score ?? 0) < scored.score) place -= 1;
  best.splice(place, 0, scored);
  if (best.length > CANDIDATES) best.pop();
}

function scoreAll(index: Index, scratch: Scratch, tokens: readonly string[], mask?: Uint8Array): Scored[] {
  const touched = accumulate(index, scratch, tokens);
  const scored: Scored[] = [];
  for (let place = 0; place < touched; place += 1) {
    const document = at(scratch.touched, place);
    const value = at(scratch.scores, document);
    scratch.scores[document] = 0;
    if (!mask || at(mask, at(index.articleOf, document)) === 1) scored.push({ document, score: value });
  }
  return scored;
}

/** Adds up the weights of the tokens' postings. Returns how many documents were touched. */
function accumulate(index: Index, scratch: Scratch, tokens: readonly string[]): number {
  const { starts, items, weights } = index.inverted;
  let touched = 0;
  for (const [term, tf] of queryTerms(index, tokens)) {
    const end = at(starts, term + 1);
    for (let place = at(starts, term); place < end; place += 1) {
      const document = at(items, place);
      const before = at(scratch.scores, document);
      if (before === 0) scratch.touched[touched++] = document;
      scratch.scores[document] = before + tf * at(weights, place);
    }
  }
  return touched;
}

/** Scores candidates again, by all tokens, through their own list of terms. */
function rescore(index: Index, scratch: Scratch, candidates: readonly Scored[], question: Tokens): Scored[] {
  const asked = queryTerms(index, all(question));
  for (const [term, tf] of asked) scratch.queryTf[term] = tf;
  const { starts, items, weights } = index.forward;
  const rescored = candidates.map(({ document }) => {
    let sum = 0;
    for (let place = at(starts, document); place < at(starts, document + 1); place += 1) {
      sum += at(scratch.queryTf, at(items, place)) * at(weights, place);
    }
    return { document, score: sum };
  });
  for (const term of asked.keys()) scratch.queryTf[term] = 0;
  return rescored;
}

function queryTerms(index: Index, tokens: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const token of tokens) {
    const term = index.terms.get(token);
    if (term !== undefined) counts.set(term, Math.min(QUERY_TF, (counts.get(term) ?? 0) + 1));
  }
  return counts;
}

/** An article is as good as its best document. Equal scores keep the articles' order, so answers are the same every time. */
function bestArticles(index: Index, scratch: Scratch, scored: readonly Scored[], top: number): Hit[] {
  const found: number[] = [];
  for (const { document, score } of scored) {
    const article = at(index.articleOf, document);
    const before = at(scratch.best, article);
    if (before === 0) found.push(article);
    if (score > before) scratch.best[article] = score;
  }
  const hits = found.map((article) => ({ article, score: at(scratch.best, article) }));
  for (const article of found) scratch.best[article] = 0;
  return hits.sort((one, other) => other.score - one.score || one.article - other.article).slice(0, top);
}

/** Words the bank has never seen count as the rarest of all: they make the best match look as poor as it is. */
function measureOf(index: Index, question: Tokens): Omit<SearchResult, 'hits'> {
  const relativeLength = lengthOf(question) / (index.averageLength || 1);
  const counts = new Map<string, number>();
  for (const token of all(question)) counts.set(token, (counts.get(token) ?? 0) + 1);
  let equal = 0;
  let limit = 0;
  for (const [token, count] of counts) {
    const term = index.terms.get(token);
    const idf = term === undefined ? inverseFrequency(index.articleOf.length, 0) : at(index.idf, term);
    equal += Math.min(QUERY_TF, count) * idf * saturate(count, relativeLength);
    limit += Math.min(QUERY_TF, count) * idf * (K1 + 1);
  }
  return { equal, limit };
}

/** Typed arrays read inside their bounds: every index here comes from the index itself. */
function at(array: Uint8Array | Uint32Array | Float32Array, place: number): number {
  return array[place] as number;
}
