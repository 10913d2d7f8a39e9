/** Chooses how sure the bank must be before it answers, from the phrasings alone: each is asked of an index that does not know it. */

import { buildRanker, nearness, type Ranked } from './ranking.ts';
import { type Bands, bandOf } from './recognizer.ts';
import { documentsOf, type SearchDocument } from './search.ts';
import type { Tokenizer } from './tokenize.ts';
import type { Article, Band } from './types.ts';

/** One phrasing asked of an index built without it. */
export interface Trial {
  readonly text: string;
  readonly article: Article;
  readonly ranked: readonly Ranked[];
  /** Place of the right article among the three found: 0 is first, -1 is missing. */
  readonly place: number;
}

/** What the bands must keep to: an answer is right this often, and this share of what customers ask is not turned away. */
export interface Aims {
  readonly answersRight: number;
  readonly questionsKept: number;
}

export const AIMS: Aims = { answersRight: 0.95, questionsKept: 0.95 };

/** Asks every phrasing of articles in one language. Titles stay in the index: they were not written by a customer. */
export function leaveOneOut(articles: readonly Article[], tokenizer: Tokenizer): readonly Trial[] {
  const documents = documentsOf(articles, tokenizer);
  let next = 0;
  return articles.flatMap((article, position) => {
    next += 1;
    return article.phrasings.map((text) => trial(text, articles, position, documents, next++));
  });
}

function trial(
  text: string,
  articles: readonly Article[],
  position: number,
  documents: readonly SearchDocument[],
  left: number,
): Trial {
  const without = buildRanker(
    documents.filter((_, place) => place !== left),
    articles.length,
  );
  const question = (documents[left] as SearchDocument).tokens;
  const ranked = without.rank(question, 3);
  return {
    text,
    article: articles[position] as Article,
    ranked,
    place: ranked.findIndex((one) => one.article === position),
  };
}

/** What a choice of bands would have done to the trials. */
export interface BandFigures {
  readonly trials: number;
  readonly answered: number;
  readonly answeredRight: number;
  readonly offered: number;
  readonly offeredRight: number;
  readonly missed: number;
}

export function measureBands(trials: readonly Trial[], bands: Bands): BandFigures {
  const banded = trials.map((trial) => ({ band: bandOf(trial.ranked, bands), place: trial.place }));
  const count = (band: Band, right: (place: number) => boolean) =>
    banded.filter((one) => one.band === band && right(one.place)).length;
  return {
    trials: trials.length,
    answered: count('answer', () => true),
    answeredRight: count('answer', (place) => place === 0),
    offered: count('offer', () => true),
    offeredRight: count('offer', (place) => place >= 0),
    missed: count('miss', () => true),
  };
}

/** Steps of 0.01: finer ones would only fit this very set. */
const STEPS = Array.from({ length: 100 }, (_, step) => step / 100);

/** The bands that answer the most while being right often enough, and turn away the most while keeping enough of what can be answered. */
export function chooseBands(trials: readonly Trial[], aims: Aims = AIMS): Bands {
  const offerAt = highestOfferAt(trials, aims);
  let chosen: Bands = { answerAt: 1, leadAt: 1, offerAt };
  let most = 0;
  for (const answerAt of STEPS.filter((step) => step >= offerAt)) {
    for (const leadAt of STEPS) {
      const figures = measureBands(trials, { answerAt, leadAt, offerAt });
      if (figures.answered > most && figures.answeredRight >= aims.answersRight * figures.answered) {
        most = figures.answered;
        chosen = { answerAt, leadAt, offerAt };
      }
    }
  }
  return chosen;
}

function highestOfferAt(trials: readonly Trial[], aims: Aims): number {
  const answerable = trials.filter((trial) => trial.place >= 0);
  const kept = (step: number) => answerable.filter((trial) => nearness(trial.ranked).share >= step).length;
  return STEPS.findLast((step) => kept(step) >= aims.questionsKept * answerable.length) ?? 0;
}
