/** Waiting, but not for ever. */

/** What `work` resolves to, or undefined once `ms` have passed. The work itself goes on. */
export function within<Result>(work: Promise<Result>, ms: number): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms, undefined);
    work.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
