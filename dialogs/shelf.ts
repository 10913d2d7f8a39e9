/** The shelf of approved articles: finds one again by id, and never hands out a draft or one that is not in force. */

import { servable } from '../knowledge/article.ts';
import type { Article } from '../knowledge/types.ts';
import type { ArticleShelf } from './turn.ts';

export function shelve(articles: readonly Article[]): ArticleShelf {
  const byKey = new Map(articles.map((article) => [`${article.lang}:${article.id}`, article]));
  const idByTitle = new Map(articles.map(({ title, id }) => [folded(title), id]));
  const find: ArticleShelf['find'] = (id, language, today) => {
    const article = byKey.get(`${language}:${id}`);
    return article && servable(article, { language, audience: 'public', today }) ? article : null;
  };
  return {
    find,
    titled(title, language, today) {
      const id = idByTitle.get(folded(title));
      return id === undefined ? null : find(id, language, today);
    },
  };
}

function folded(title: string): string {
  return title.normalize('NFKC').trim().toLowerCase();
}
