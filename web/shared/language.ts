/** The two languages of the pages, and which one a customer is met in. */

export type Language = 'zh' | 'en';

/** The tag for `lang` attributes, number formats and Bot Framework's `locale`. */
export const localeOf: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-US' };

export function otherLanguage(language: Language): Language {
  return language === 'zh' ? 'en' : 'zh';
}

/**
 * What the customer chose before decides, then the address, then the browser.
 * A Chinese bank greets in Chinese unless the browser's first language says otherwise.
 */
export function firstLanguage(chosen: string | null, asked: string | null, preferred: readonly string[]): Language {
  const said = asLanguage(chosen) ?? asLanguage(asked);
  if (said) return said;
  const first = preferred[0];
  return first === undefined || first.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

function asLanguage(value: string | null): Language | undefined {
  return value === 'zh' || value === 'en' ? value : undefined;
}
