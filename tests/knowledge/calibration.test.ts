import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { approved, readArticles } from '../../knowledge/article.ts';
import { AIMS, chooseBands, leaveOneOut, measureBands, type Trial } from '../../knowledge/calibration.ts';
import { BANDS } from '../../knowledge/recognizer.ts';
import { createTokenizer } from '../../knowledge/tokenize.ts';
import type { Article } from '../../knowledge/types.ts';

const articles = readArticles(fileURLToPath(new URL('../../knowledge/articles', import.meta.url))).filter(approved);
const tokenizer = createTokenizer({ articles });
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

describe.each(['zh', 'en'] as const)('the bands of %s', (language) => {
  const trials = leaveOneOut(
    articles.filter((article) => article.lang === language),
    tokenizer,
  );
  const figures = measureBands(trials, BANDS[language]);

  test('answer right and turn away as little as they aim to, on phrasings they do not know', () => {
    const top1 = trials.filter((trial) => trial.place === 0).length;
    const top3 = trials.filter((trial) => trial.place >= 0).length;
    const kept = trials.filter(
      (trial) => trial.place >= 0 && (trial.ranked[0]?.share ?? 0) >= BANDS[language].offerAt,
    ).length;
    process.stdout.write(
      `${language}, one phrasing left out at a time (${trials.length}): top 1 ${percent(top1, trials.length)}, top 3 ${percent(top3, trials.length)}; ` +
        `answered ${percent(figures.answered, trials.length)}, right ${percent(figures.answeredRight, figures.answered)}; ` +
        `offered ${percent(figures.offered, trials.length)}, right among three ${percent(figures.offeredRight, figures.offered)}; ` +
        `missed ${percent(figures.missed, trials.length)}. Chosen now: ${JSON.stringify(chooseBands(trials))}\n`,
    );
    expect(figures.answeredRight / figures.answered).toBeGreaterThanOrEqual(AIMS.answersRight);
    expect(kept / top3).toBeGreaterThanOrEqual(AIMS.questionsKept);
    expect(figures.answered / trials.length).toBeGreaterThan(0.5);
  });
});

describe('choosing bands', () => {
  const article = { id: 'a' } as Article;
  const trial = (share: number, second: number, place: number): Trial => ({
    text: '',
    article,
    place,
    ranked: [
      { article: 0, share },
      { article: 1, share: second },
    ],
  });

  test('answers as much as it can while being right often enough', () => {
    const trials = [
      ...Array.from({ length: 19 }, () => trial(0.8, 0.2, 0)),
      ...Array.from({ length: 5 }, () => trial(0.4, 0.3, -1)),
    ];
    const bands = chooseBands(trials);
    expect(measureBands(trials, bands)).toMatchObject({ answered: 19, answeredRight: 19 });
    expect(bands.answerAt > 0.4 || bands.leadAt > 0.25).toBe(true);
  });

  test('turns away the most while keeping enough of what can be answered', () => {
    const trials = [
      ...Array.from({ length: 95 }, () => trial(0.6, 0.1, 0)),
      ...Array.from({ length: 5 }, () => trial(0.2, 0.1, 0)),
    ];
    expect(chooseBands(trials).offerAt).toBeCloseTo(0.6);
    expect(chooseBands(trials, { ...AIMS, questionsKept: 0.96 }).offerAt).toBeCloseTo(0.2);
  });
});
