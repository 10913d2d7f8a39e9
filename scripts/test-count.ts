/** Counts what a test run says of itself, so that nothing that went wrong is counted as nothing. */

import { z } from 'zod';

export interface Count {
  passed: number;
  failed: number;
}

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** A file that could not be loaded, and a run that ended badly without a failed test, count as a failure each. */
export function countOf(json: string, exitCode: number): Count {
  const report = Report.parse(JSON.parse(json));
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numFailedTests + unloaded.length;
  return { passed: report.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}
