/** The figures an operator watches, in Prometheus's format. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DirectLineMetrics } from '../adapters/directline/port.ts';

/** What the gate reports. */
export interface TurnMetrics {
  /** Starts the clock of one turn; call the result with its outcome. Only the first call counts. */
  begin(channel: string): (outcome: string) => void;
  committed(outcome: string): void;
  rerun(): void;
  refused(reason: string): void;
  botError(): void;
  watchDepth(depth: () => number): void;
}

/** Every metric of the service, in one registry. */
export interface Metrics extends TurnMetrics {
  readonly registry: Registry;
  sent(channel: string, messageClass: string, outcome: string): void;
  watch(name: string, help: string, read: () => number): void;
  erasedSecret(kind: string): void;
  readonly directLine: DirectLineMetrics;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'lobby_process_' });
  const seconds = new Histogram({
    name: 'lobby_turn_seconds',
    help: 'From a message taken to its turn recorded.',
    labelNames: ['channel', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers });
  const commits = counter('lobby_commit_total', 'Commits by outcome.', ['outcome']);
  const reruns = counter('lobby_reruns_total', 'Turns run again because the conversation had moved on.', []);
  const refusals = counter('lobby_refused_total', 'Messages refused at the door, nothing recorded.', ['reason']);
  const botErrors = counter('lobby_bot_error_total', 'Turns in which the bot failed and a person was offered.', []);
  const sends = counter('lobby_send_total', 'Attempts to push a message, by outcome.', ['channel', 'class', 'outcome']);
  const erased = counter('lobby_c3_erased_total', 'Secrets erased from messages before they were written.', ['kind']);
  const sockets = new Gauge({ name: 'lobby_sockets_open', help: 'Customers connected by WebSocket.', registers });
  const closed = counter('lobby_sockets_closed_total', 'Sockets ended, by close code.', ['code']);
  const keyless = counter('lobby_keyless_total', 'Messages without a key: their repeats cannot be recognised.', []);
  const watch = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  return {
    registry,
    begin(channel) {
      const started = performance.now();
      let open = true;
      return (outcome) => {
        if (open) seconds.observe({ channel, outcome }, (performance.now() - started) / 1000);
        open = false;
      };
    },
    committed: (outcome) => commits.inc({ outcome }),
    rerun: () => reruns.inc(),
    refused: (reason) => refusals.inc({ reason }),
    botError: () => botErrors.inc(),
    watchDepth: (depth) => watch('lobby_line_depth', 'Messages taken and not finished.', depth),
    sent: (channel, messageClass, outcome) => sends.inc({ channel, class: messageClass, outcome }),
    watch,
    erasedSecret: (kind) => erased.inc({ kind }),
    directLine: {
      socketsOpen: (count) => sockets.set(count),
      socketClosed: (code) => closed.inc({ code: String(code) }),
      refused: (reason) => refusals.inc({ reason }),
      keyless: () => keyless.inc(),
    },
  };
}
