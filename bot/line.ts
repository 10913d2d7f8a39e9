/** The line in front of a conversation: one turn at a time, in the order the messages came, and no more waiting than fits. */

/** Work that waits its turn, per conversation. Lines of different conversations never wait for each other. */
export class Lines {
  readonly #longest: number;
  readonly #most: number;
  readonly #tails = new Map<string, { tail: Promise<void>; length: number }>();
  #total = 0;

  /** `longest`: how many may stand in one line, the one being served included. `most`: how many in all lines together. */
  constructor(longest: number, most: number) {
    this.#longest = longest;
    this.#most = most;
  }

  /** Messages taken and not finished, over all conversations. */
  get depth(): number {
    return this.#total;
  }

  /** Whether another one may join the line of this conversation. `leaving` places are kept for others, whom more depends on. */
  admits(conversationId: string, leaving = 0): boolean {
    return this.#total < this.#most - leaving && (this.#tails.get(conversationId)?.length ?? 0) < this.#longest;
  }

  /** Runs `work` when everything before it in this conversation's line has settled. The next one waits for the whole of it. */
  join<Result>(conversationId: string, work: () => Promise<Result>): Promise<Result> {
    const line = this.#tails.get(conversationId) ?? { tail: Promise.resolve(), length: 0 };
    const result = line.length === 0 ? work() : line.tail.then(work);
    line.length += 1;
    this.#total += 1;
    line.tail = result.then(
      () => this.#leave(conversationId, line),
      () => this.#leave(conversationId, line),
    );
    this.#tails.set(conversationId, line);
    return result;
  }

  /** Resolves when every line is empty. */
  async idle(): Promise<void> {
    while (this.#total > 0) await Promise.all([...this.#tails.values()].map((line) => line.tail));
  }

  #leave(conversationId: string, line: { length: number }): void {
    line.length -= 1;
    this.#total -= 1;
    if (line.length === 0) this.#tails.delete(conversationId);
  }
}
