import { describe, expect, it } from 'vitest';
import { countOf } from '../../scripts/test-count.ts';

const passedFile = { status: 'passed', assertionResults: [{}, {}] };
const report = (numPassedTests: number, numFailedTests: number, ...testResults: object[]) =>
  JSON.stringify({ numPassedTests, numFailedTests, testResults });

describe('the last line of npm test', () => {
  it('counts tests', () => {
    expect(countOf(report(2, 0, passedFile), 0)).toEqual({ passed: 2, failed: 0 });
    expect(countOf(report(1, 1, { status: 'failed', assertionResults: [{}, {}] }), 1)).toEqual({
      passed: 1,
      failed: 1,
    });
  });

  it('counts each file that could not be loaded as a failure', () => {
    const unloaded = { status: 'failed', assertionResults: [] };
    expect(countOf(report(2, 0, passedFile, unloaded, unloaded), 1)).toEqual({ passed: 2, failed: 2 });
  });

  it('counts a run that ended badly without a failed test as a failure', () => {
    expect(countOf(report(2, 0, passedFile), 1)).toEqual({ passed: 2, failed: 1 });
  });
});
