/** The service's process: reads the settings, starts the service, says where it is, and stops it cleanly. */

import { CodedError } from '../adapters/channel.ts';
import { createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLog } from './log.ts';

/** `sysexits.h`: EX_CONFIG, the settings are wrong; EX_UNAVAILABLE, something Lobby needs is missing. */
const EXIT_CONFIG = 78;
const EXIT_UNAVAILABLE = 69;

/** Signals closer together than this are one. */
const ONE_SIGNAL_MS = 500;

/** How long a stop may take before the process ends all the same. */
const STOP_WITHIN_MS = 25_000;

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  for (const warning of config.warnings) log.warn({ msg_code: 'setting' }, warning);
  const app = await createApp(config, { log });
  welcome(app.address, config.mode);

  let stoppingSince: number | null = null;
  const stop = (signal: string): void => {
    const now = performance.now();
    // npm passes on a Ctrl-C that the terminal has already sent: two so close together are one.
    if (stoppingSince !== null && now - stoppingSince < ONE_SIGNAL_MS) return;
    // A second one ends at once: everything acknowledged is already in the record.
    if (stoppingSince !== null) process.exit(1);
    stoppingSince = now;
    log.info({ msg_code: 'stopping', signal }, 'Stopping: finishing what was taken.');
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ msg_code: 'stop_failed', err: error }, 'The stop did not end cleanly.');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

function welcome(address: string, mode: string): void {
  const demo = mode === 'demo' ? '  Demo data: the bank is fictional / 演示数据，银行为虚构\n' : '';
  process.stdout.write(`\nLobby 大堂 is ready.\n  Start page  ${address}/\n  Customers   ${address}/chat\n${demo}\n`);
}

main().catch((error: unknown) => {
  const known = error instanceof CodedError;
  process.stderr.write(
    `${known ? error.message : `Lobby could not start: ${String(error instanceof Error ? error.stack : error)}`}\n`,
  );
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_UNAVAILABLE);
});
