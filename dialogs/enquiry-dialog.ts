/** Answers from the approved articles, asks which was meant when unsure, and knows when to stop and offer a person. */

import type { TurnContext } from 'botbuilder';
import {
  Dialog,
  type DialogContext,
  type DialogInstance,
  type DialogTurnResult,
  DialogTurnStatus,
} from 'botbuilder-dialogs';
import type { Article, Found, Understanding } from '../knowledge/types.ts';
import { popularQuestions } from './greeting.ts';
import { HANDOFF, type HandoffCode, type HandoffOptions } from './handoff-dialog.ts';
import { say } from './say.ts';
import { readHelped, readPick, readYesNo } from './short-words.ts';
import { stringsOf, turnOf } from './turn.ts';
import { countMiss, countNegative, forgive, visitOf } from './visit.ts';

export const ENQUIRY = 'enquiry';

/** What the dialog begins with. */
export type EnquiryOptions =
  | { readonly about: 'question'; readonly understanding: Understanding }
  /** The customer said an article's very title. */
  | { readonly about: 'title'; readonly article: Article }
  /** The customer says that the assistant got it wrong. */
  | { readonly about: 'wrong_answer' };

/** What the dialog is waiting to hear. Kept in the conversation's state; a new kind needs a new shape in `visit.ts`. */
type Asked =
  | { readonly kind: 'helped'; readonly article: string; readonly others: readonly string[] }
  | { readonly kind: 'which'; readonly articles: readonly string[] }
  | { readonly kind: 'person' };

const NEW_WORDS = 'new_words';

/** Did the customer say something that is no answer to what was asked? Their words are then heard as new; the question stays open. */
export function heardNewWords(result: DialogTurnResult): boolean {
  return result.result === NEW_WORDS;
}

/** Never holds a customer: whatever is not an answer to its question is handed back as something new. */
export class EnquiryDialog extends Dialog<EnquiryOptions> {
  override async beginDialog(dc: DialogContext, options?: EnquiryOptions): Promise<DialogTurnResult> {
    switch (options?.about) {
      case 'question':
        return this.#hearQuestion(dc, options.understanding);
      case 'title':
        return this.#answer(dc, options.article, []);
      default:
        return this.#hearNegative(dc, []);
    }
  }

  override async continueDialog(dc: DialogContext): Promise<DialogTurnResult> {
    const asked = askedOf(dc.activeDialog);
    const text = dc.context.activity.text ?? '';
    switch (asked.kind) {
      case 'helped':
        return this.#hearWhetherHelped(dc, asked, text);
      case 'which':
        return this.#hearWhich(dc, asked, text);
      case 'person':
        return this.#hearWhetherPerson(dc, text);
    }
  }

  /** Says again, in the language of the turn, what it is waiting for. */
  override async repromptDialog(context: TurnContext, instance: DialogInstance): Promise<void> {
    const asked = askedOf(instance);
    switch (asked.kind) {
      case 'helped': {
        const [article] = onShelf(context, [asked.article]);
        if (article) await sayAnswer(context, article);
        return;
      }
      case 'which':
        await sayOffer(context, onShelf(context, asked.articles));
        return;
      case 'person':
        await say(context, stringsOf(context).handoff.offer, { chips: personChips(context) });
    }
  }

  async #hearQuestion(dc: DialogContext, { band, articles, missed }: Understanding): Promise<DialogTurnResult> {
    const found = inTurnLanguage(dc.context, articles);
    const [best, ...others] = found;
    if (band === 'answer' && best) return this.#answer(dc, best, others.map(idOf));
    if (band === 'offer' && best) return this.#offer(dc, found);
    return this.#miss(dc, missed ?? 'knowledge_expired');
  }

  async #answer(dc: DialogContext, article: Article, others: readonly string[]): Promise<DialogTurnResult> {
    const said = await sayAnswer(dc.context, article);
    return said ? ask(dc, { kind: 'helped', article: article.id, others }) : this.#sayRateMissing(dc);
  }

  async #sayRateMissing(dc: DialogContext): Promise<DialogTurnResult> {
    await say(dc.context, stringsOf(dc.context).answer.rateMissing, { chips: personChips(dc.context) });
    return ask(dc, { kind: 'person' });
  }

  async #offer(dc: DialogContext, articles: readonly Article[]): Promise<DialogTurnResult> {
    await sayOffer(dc.context, articles);
    return ask(dc, { kind: 'which', articles: articles.map(idOf) });
  }

  async #hearWhetherHelped(
    dc: DialogContext,
    asked: Asked & { kind: 'helped' },
    text: string,
  ): Promise<DialogTurnResult> {
    switch (readHelped(text)) {
      case 'yes':
        return this.#saySolved(dc, asked.article);
      case 'no':
        return this.#hearNegative(dc, asked.others);
      case null:
        return newWords();
    }
  }

  async #saySolved(dc: DialogContext, articleId: string): Promise<DialogTurnResult> {
    const { context } = dc;
    const { answer, courtesy, handoff, chips } = stringsOf(context);
    forgive(visitOf(context));
    const waiting = turnOf(context).conversation.openHandoff;
    const [article] = onShelf(context, [articleId]);
    const related = onShelf(context, article?.related ?? [])
      .slice(0, 2)
      .map(titleOf);
    const words = related.length > 0 ? answer.solvedAndRelated : courtesy.helped;
    await say(context, waiting ? `${handoff.stillWaiting(waiting.number)}\n\n${words}` : words, {
      chips: [...related, waiting ? chips.cancelPerson : chips.person],
      facts: { helped: articleId },
    });
    return dc.endDialog();
  }

  async #hearWhich(dc: DialogContext, asked: Asked & { kind: 'which' }, text: string): Promise<DialogTurnResult> {
    const articles = onShelf(dc.context, asked.articles);
    const pick = readPick(text, articles.map(titleOf));
    if (pick === null) return newWords();
    if (pick === 'none') return this.#miss(dc, 'nothing_found');
    const chosen = pick === 'out_of_range' ? undefined : articles[pick];
    if (chosen) return this.#answer(dc, chosen, articles.filter((article) => article !== chosen).map(idOf));
    await sayOffer(
      dc.context,
      articles,
      articles.length > 1 ? stringsOf(dc.context).offer.outOfRange(articles.length) : undefined,
    );
    return Dialog.EndOfTurn;
  }

  async #hearWhetherPerson(dc: DialogContext, text: string): Promise<DialogTurnResult> {
    switch (readYesNo(text)) {
      case 'yes':
        return this.#handOver(dc, 'ASKED');
      case 'no':
        await say(dc.context, stringsOf(dc.context).handoff.declined, { chips: popularQuestions(dc.context) });
        return dc.endDialog();
      case null:
        return newWords();
    }
  }

  async #miss(dc: DialogContext, missed: NonNullable<Understanding['missed']>): Promise<DialogTurnResult> {
    const { context } = dc;
    const { miss, chips } = stringsOf(context);
    const waiting = turnOf(context).conversation.openHandoff;
    const facts = { missed };
    if (waiting) {
      await say(context, miss.waiting(waiting.number), { chips: popularQuestions(context), facts });
      return dc.endDialog();
    }
    const step = countMiss(visitOf(context));
    if (step === 'hand_over') return this.#handOver(dc, 'MISSED');
    if (step === 'offer_person' || missed === 'knowledge_expired') {
      await say(context, missed === 'knowledge_expired' ? miss.expired : miss.second, {
        chips: personChips(context),
        facts,
      });
      return ask(dc, { kind: 'person' });
    }
    await say(context, miss.first, { chips: [...popularQuestions(context), chips.person], facts });
    return dc.endDialog();
  }

  /** The answer was wrong. Offers the runners-up, if there were any, before it offers a person. */
  async #hearNegative(dc: DialogContext, others: readonly string[]): Promise<DialogTurnResult> {
    const { context } = dc;
    const { negative, chips } = stringsOf(context);
    const waiting = turnOf(context).conversation.openHandoff;
    if (waiting) {
      await say(context, negative.waiting(waiting.number), { chips: [chips.cancelPerson] });
      return dc.endDialog();
    }
    switch (countNegative(visitOf(context))) {
      case 'hand_over':
        return this.#handOver(dc, 'NEGATIVE');
      case 'offer_person':
        await say(context, negative.second, { chips: personChips(context) });
        return ask(dc, { kind: 'person' });
      case 'carry_on': {
        const articles = onShelf(context, others);
        const words = articles.length > 0 ? negative.firstWithOthers : negative.first;
        await say(context, words, { chips: [...articles.map(titleOf), chips.person] });
        return articles.length > 0 ? ask(dc, { kind: 'which', articles: articles.map(idOf) }) : dc.endDialog();
      }
    }
  }

  #handOver(dc: DialogContext, code: HandoffCode): Promise<DialogTurnResult> {
    return dc.replaceDialog(HANDOFF, { code } satisfies HandoffOptions);
  }
}

function newWords(): DialogTurnResult {
  return { status: DialogTurnStatus.waiting, result: NEW_WORDS };
}

function ask(dc: DialogContext, asked: Asked): DialogTurnResult {
  const instance = dc.activeDialog;
  if (instance) instance.state = asked;
  return Dialog.EndOfTurn;
}

function askedOf(instance: DialogInstance | undefined): Asked {
  return instance?.state as Asked;
}

/** Says the article as it stands today. False, and nothing said, when a rate it needs is not in force. */
async function sayAnswer(context: TurnContext, article: Article): Promise<boolean> {
  const body = fillRates(context, article.body);
  if (body === null) return false;
  const { answer, chips } = stringsOf(context);
  const parts = [
    body,
    ...(article.risk === 'investment' ? [answer.riskLine] : []),
    ...(isScamGround(`${context.activity.text ?? ''} ${article.title}`) ? [answer.scamHint] : []),
    answer.didItHelp,
  ];
  await say(context, parts.join('\n\n'), {
    chips: [chips.helped, chips.notHelped, chips.person],
    facts: { article: { id: article.id, version: article.version } },
  });
  return true;
}

async function sayOffer(context: TurnContext, articles: readonly Article[], before?: string): Promise<void> {
  const { offer, chips } = stringsOf(context);
  const titles = articles.map(titleOf);
  const [first = ''] = titles;
  const question =
    titles.length === 1
      ? offer.one(first)
      : offer.several(titles.map((title, index) => ({ number: index + 1, title })));
  await say(context, before === undefined ? question : `${before}\n\n${question}`, {
    chips: [...(titles.length === 1 ? [chips.yes] : titles), chips.none, chips.person],
    facts: { offered: articles.map(idOf) },
  });
}

/** Puts today's tables where the article names them. Null when one of them has no row in force. */
function fillRates(context: TurnContext, body: string): string | null {
  const { collaborators, language, today } = turnOf(context);
  let complete = true;
  const filled = body.replace(/\{\{rates:([^}]+)\}\}/gu, (_, table: string) => {
    const rendered = collaborators.rates.render(table.trim(), language, today);
    complete &&= rendered !== null;
    return rendered ?? '';
  });
  return complete ? filled : null;
}

/** Talk of transfers, codes or screen sharing is where fraud happens. */
function isScamGround(text: string): boolean {
  return /转账|轉賬|轉帳|汇款|匯款|验证码|驗證碼|动态码|屏幕共享|共享屏幕|远程控制|安全账户|\btransfer|\bremit|verification code|\botp\b|screen.?shar|safe account/iu.test(
    text,
  );
}

/** What was found, in the language of the turn: the same article when it was found in the other one. */
function inTurnLanguage(context: TurnContext, found: readonly Found[]): readonly Article[] {
  return onShelf(context, [...new Set(found.map(({ article }) => article.id))]);
}

function onShelf(context: TurnContext, ids: readonly string[]): readonly Article[] {
  const { collaborators, language, today } = turnOf(context);
  return ids.flatMap((id) => collaborators.articles.find(id, language, today) ?? []);
}

function personChips(context: TurnContext): readonly string[] {
  return [stringsOf(context).chips.person, ...popularQuestions(context, 2)];
}

function idOf(article: Article): string {
  return article.id;
}

function titleOf(article: Article): string {
  return article.title;
}
