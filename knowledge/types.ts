/** The port types of understanding: what the bank knows and what a customer's sentence was taken to mean. No code. */

export type Language = 'zh' | 'en';

/** Who may be shown an article. */
export type Audience = 'public' | 'signed-in' | 'staff';

/** One approved answer in one language. */
export interface Article {
  readonly id: string;
  readonly lang: Language;
  /** Topic ids; the first is the main one. */
  readonly intents: readonly string[];
  readonly title: string;
  /** Different ways customers ask this. */
  readonly phrasings: readonly string[];
  readonly audience: Audience;
  /** Bank-local dates, half-open: served when `validFrom <= today < validTo`. */
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly reviewBy: string;
  /** The role that approved it and when; an article without them is a draft and is never served. */
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  readonly source: string;
  readonly version: number;
  /** `investment` adds the risk line. */
  readonly risk: 'none' | 'investment';
  readonly related: readonly string[];
  /** Markdown. `{{rates:<table>}}` stands for a dated table of `record/rates`. */
  readonly body: string;
}

/** One article found for a question. */
export interface Found {
  readonly article: Article;
  /** Higher is better; comparable only within one question. */
  readonly score: number;
}

/** How sure the bank may be of an answer. */
export type Band = 'answer' | 'offer' | 'miss';

/** What a sentence was taken to mean. */
export interface Understanding {
  readonly language: Language;
  readonly band: Band;
  /** Best first; at most three. Empty on a miss. */
  readonly articles: readonly Found[];
  /** `knowledge_expired`: the best match is an article that is no longer (or not yet) valid. */
  readonly missed: 'nothing_found' | 'knowledge_expired' | null;
}

/** What the recogniser is told besides the sentence. */
export interface UnderstandingContext {
  /** The conversation's language so far. */
  readonly language: Language;
  /** Today in the bank's time zone, `YYYY-MM-DD`. */
  readonly today: string;
  readonly audience: Audience;
}

/** Understands one sentence. Local by default; a remote one stands behind the same port. */
export interface Recognizer {
  understand(text: string, context: UnderstandingContext): Promise<Understanding>;
}
