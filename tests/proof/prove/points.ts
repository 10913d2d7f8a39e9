/** The moments at which a process is killed on purpose: every place where a promise could be broken in between. */

export const POINTS = [
  'after-receive',
  'after-load',
  'before-commit',
  'in-commit',
  'after-commit-before-ack',
  'after-ack',
  'late-answer',
  'outbox-before-send',
  'outbox-after-send',
  'timer-before-fire',
  'timer-after-fire',
] as const;

export type Point = (typeof POINTS)[number];

/** "Die when you come by `point`, but let it pass `skip` times first." */
export interface Order {
  readonly point: Point;
  readonly skip: number;
  /** For a point that lasts: how long after its beginning. */
  readonly afterMs: number;
}

/** What a gate process starts with. */
export interface GateSettings {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
}

/** What a gate process tells its parent once it listens. */
export interface GateReady {
  readonly port: number;
}
