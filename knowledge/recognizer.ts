/** The local recogniser: what a customer means, found by search among what the bank has approved. */

import { approved, inForce, servableSomeDay } from './article.ts';
import { buildRanker, nearness, type Ranked, type Ranker } from './ranking.ts';
import { documentsOf } from './search.ts';
import { comparable, contentOf, createTokenizer, detectLanguage, type Tokenizer, type Tokens } from './tokenize.ts';
import type { Article, Band, Found, Language, Recognizer, Understanding, UnderstandingContext } from './types.ts';

/** How sure the bank must be, as shares of what a perfect match would score. Chosen by `chooseBands` of calibration.ts. */
export interface Bands {
  /** Answer at or above this share … */
  readonly answerAt: number;
  /** … when the second article is at least this share of the best one's score behind it. */
  readonly leadAt: number;
  /** Offer the nearest articles at or above this share; below it nothing was found. */
  readonly offerAt: number;
}

/** Chosen by leaving one phrasing out at a time; `tests/knowledge/calibration.test.ts` prints the figures and holds them to it. */
export const BANDS: Readonly<Record<Language, Bands>> = {
  zh: { answerAt: 0.31, leadAt: 0.12, offerAt: 0.21 },
  en: { answerAt: 0.29, leadAt: 0.2, offerAt: 0.21 },
};

/** As many as fit on a phone beside the button for a person. */
const OFFERED = 3;

export interface LocalRecognizerOptions {
  readonly bands?: Readonly<Record<Language, Bands>>;
  readonly tokenizer?: Tokenizer;
}

/**
 * A recogniser over these articles. It never changes: when the articles do, make another and swap it.
 * The question is matched in the language it is written in; the answer comes in the conversation's language.
 * Drafts are left out altogether: what is not approved must not draw questions away from what is.
 */
export function createLocalRecognizer(articles: readonly Article[], options: LocalRecognizerOptions = {}): Recognizer {
  const bands = options.bands ?? BANDS;
  const released = articles.filter(approved);
  const tokenizer = options.tokenizer ?? createTokenizer({ articles: released });
  const library = shelve(released);
  const sides = { zh: sideOf(library, 'zh', tokenizer), en: sideOf(library, 'en', tokenizer) };
  return {
    async understand(text, context) {
      const language = detectLanguage(text, context.language);
      return judge(
        library,
        nearest(sides[language], text, tokenizer.tokens(text, language)),
        language,
        context,
        bands[language],
      );
    },
  };
}

/** The articles by id: both languages of one answer stand in one place. */
interface Shelf {
  readonly zh?: Article;
  readonly en?: Article;
}

function shelve(articles: readonly Article[]): readonly Shelf[] {
  const shelves = new Map<string, Shelf>();
  for (const article of articles) shelves.set(article.id, { ...shelves.get(article.id), [article.lang]: article });
  return [...shelves.values()];
}

/** One language of the library. */
interface Side {
  readonly language: Language;
  readonly ranker: Ranker;
  /** Titles and phrasings as they stand, with the articles that hold them. A button sends a title. */
  readonly verbatim: ReadonlyMap<string, readonly number[]>;
}

function sideOf(library: readonly Shelf[], language: Language, tokenizer: Tokenizer): Side {
  const asked = library.map((shelf) => shelf[language] ?? { lang: language, title: '', phrasings: [] });
  const verbatim = new Map<string, number[]>();
  asked.forEach(({ title, phrasings }, place) => {
    for (const text of new Set([title, ...phrasings].map(comparable)))
      verbatim.set(text, [...(verbatim.get(text) ?? []), place]);
  });
  return { language, verbatim, ranker: buildRanker(documentsOf(asked, tokenizer), library.length) };
}

/** Ranks what may be shown, best first. */
type Nearest = (mask: Uint8Array) => readonly Ranked[];

function nearest(side: Side, text: string, question: Tokens): Nearest {
  const known = side.verbatim.get(comparable(text)) ?? [];
  const asksSomething = contentOf(question).some((token) => side.ranker.knows(token));
  return (mask) => {
    const certain = known.filter((article) => mask[article] === 1).map((article) => ({ article, share: 1 }));
    if (certain.length > 0 || !asksSomething) return certain;
    return side.ranker.rank(question, OFFERED, mask);
  };
}

function judge(
  library: readonly Shelf[],
  nearest: Nearest,
  language: Language,
  context: UnderstandingContext,
  bands: Bands,
): Understanding {
  const shown = library.map((shelf) => shelf[context.language]);
  const someDay = Uint8Array.from(shown, (article) => (article && servableSomeDay(article, context) ? 1 : 0));
  const today = someDay.map((allowed, place) => (allowed && inForce(shown[place] as Article, context.today) ? 1 : 0));
  const ranked = nearest(today);
  const winner = nearest(someDay)[0];
  if (winner && today[winner.article] === 0 && winner.share >= bands.offerAt && !hasHeir(winner, ranked, shown)) {
    return missed(language, 'knowledge_expired');
  }
  const band = bandOf(ranked, bands);
  if (band === 'miss') return missed(language, 'nothing_found');
  const near = ranked.filter((one) => one.share >= bands.offerAt);
  return { language, band, articles: near.map((one) => found(one, shown)), missed: null };
}

/** An article out of date is followed by one on the same topic: that one answers. */
function hasHeir(expired: Ranked, ranked: readonly Ranked[], shown: readonly (Article | undefined)[]): boolean {
  const heir = ranked[0] && shown[ranked[0].article];
  return heir !== undefined && heir.intents[0] === shown[expired.article]?.intents[0];
}

function found(one: Ranked, shown: readonly (Article | undefined)[]): Found {
  return { article: shown[one.article] as Article, score: one.share };
}

function missed(language: Language, why: 'nothing_found' | 'knowledge_expired'): Understanding {
  return { language, band: 'miss', articles: [], missed: why };
}

/** Sure enough to answer, to ask back, or neither. */
export function bandOf(ranked: readonly Ranked[], bands: Bands): Band {
  const { share, lead } = nearness(ranked);
  if (share < bands.offerAt) return 'miss';
  return share >= bands.answerAt && lead >= bands.leadAt ? 'answer' : 'offer';
}
