import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../scripts/requirements.ts';

const folder = mkdtempSync(join(tmpdir(), 'lobby-browsers-'));
const ours = join(folder, 'our-browser');
const chromium = join(folder, 'chromium');
for (const file of [ours, chromium]) writeFileSync(file, '');

afterAll(() => rmSync(folder, { recursive: true }));

describe('the browser of the tests', () => {
  it('is the one that CHROMIUM names', () => {
    expect(findChromium({ CHROMIUM: ours, PATH: folder })).toBe(ours);
  });

  it('is else the first one on the PATH', () => {
    expect(findChromium({ PATH: ['/nowhere', folder].join(delimiter) })).toBe(chromium);
  });

  it('is missing, not another one, when CHROMIUM names a file that is not there', () => {
    expect(findChromium({ CHROMIUM: join(folder, 'gone'), PATH: folder })).toBeUndefined();
  });
});
