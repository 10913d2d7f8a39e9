/** One database with everything around it: the instances that share it, their customers, an outside channel, and a proxy on every line between them. */

import type { FaultProxy } from '../proxy.ts';
import type { AzureCustomer } from './azure-customer.ts';
import type { Evidence } from './evidence.ts';
import type { Instance } from './instance.ts';
import type { Sink } from './sink.ts';
import type { WebCustomer } from './web-customer.ts';

export interface Scene {
  readonly name: 'service' | 'gate';
  /** Direct, without a proxy: for the audit. */
  readonly databaseUrl: string;
  readonly instances: readonly Instance[];
  /** Every line of this scene on which a fault can strike. */
  readonly proxies: readonly FaultProxy[];
  readonly web: readonly WebCustomer[];
  readonly azure: readonly AzureCustomer[];
  readonly sink: Sink;
}

export function evidenceOf({ web, azure, sink }: Scene): Evidence {
  const conversations = [...web, ...azure].flatMap((customer) => [...customer.conversations]);
  return { conversations, deliveries: sink.deliveries };
}

/** Everybody lives, until the run is over. */
export async function live({ web, azure }: Scene): Promise<void> {
  await Promise.all([...web, ...azure].map((customer) => customer.live()));
}

export async function endScene({ instances, proxies, sink }: Scene): Promise<void> {
  await Promise.all(instances.map((instance) => instance.end()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await sink.close();
}
