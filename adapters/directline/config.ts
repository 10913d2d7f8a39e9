/** What the bank decides about its web channel, and what holds when it says nothing. */

import { type TrustedProxies, trustProxies } from '../http.ts';
import { DEFAULT_LIMITS, type DirectLineLimits } from './limits.ts';
import { DEFAULT_STREAM, type StreamLimits } from './stream.ts';
import type { UploadLimits } from './uploads.ts';

/** The settings of the web channel. */
export interface DirectLineConfig {
  /** With it the bank's servers ask for tokens; null closes `tokens/generate`. */
  readonly secret: string | null;
  /** Sites beside our own whose pages may use the chat; `*` means any. */
  readonly chatOrigins: readonly string[];
  /** How customers reach us, without a trailing slash; null means the address we are called by. */
  readonly publicUrl: string | null;
  readonly trustedProxies: TrustedProxies;
  /** Null: customers may send no files. */
  readonly uploads: UploadLimits | null;
  readonly limits: DirectLineLimits;
  readonly stream: StreamLimits;
  /** Who the bot says it is. */
  readonly botName: string;
}

export const DEFAULT_CONFIG: DirectLineConfig = {
  secret: null,
  chatOrigins: [],
  publicUrl: null,
  trustedProxies: trustProxies([]),
  uploads: null,
  limits: DEFAULT_LIMITS,
  stream: DEFAULT_STREAM,
  botName: 'Lobby',
};
