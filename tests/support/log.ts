/** A log for tests that nobody reads. */

import pino from 'pino';
import type { Log } from '../../bot/log.ts';

export const silentLog: Log = pino({ level: 'silent' });
