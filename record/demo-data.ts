/** The demo bank's customers. Fictional, marked as demo, and loaded once. */

import type { Database } from './types.ts';

/** One demo customer; `key` is what the demo signs in with and stands for the bank's customer number. */
export interface DemoCustomer {
  readonly key: string;
  readonly name: string;
  readonly language: 'zh' | 'en';
  readonly tier: string;
  readonly branch: string;
  readonly flags: readonly string[];
  readonly marketing: boolean;
}

/** The three people of the demo's stories. */
export const DEMO_CUSTOMERS: readonly DemoCustomer[] = [
  {
    key: 'wang',
    name: '王秀兰',
    language: 'zh',
    tier: 'standard',
    branch: '柳桥镇支行',
    flags: ['elder_mode'],
    marketing: false,
  },
  {
    key: 'chen',
    name: '陈志远',
    language: 'zh',
    tier: 'gold',
    branch: '高新支行',
    flags: ['high_value'],
    marketing: true,
  },
  {
    key: 'emma',
    name: 'Emma Clarke',
    language: 'en',
    tier: 'standard',
    branch: '湖滨支行',
    flags: [],
    marketing: false,
  },
];

/** Whether this database was loaded as a demo: then it may be emptied, and no bank may work on it. */
export async function isDemo(database: Database): Promise<boolean> {
  const rows = await database.query(`select from fact where key = 'demo'`);
  return rows.length > 0;
}

/** Marks an empty database as a demo and loads its customers. Safe to run at every start; never touches a database in use by a bank. */
export async function loadDemo(
  database: Database,
  parts: { readonly bankRef: (number: string) => string; readonly newId: () => string },
): Promise<void> {
  await database.transaction(async (inside) => {
    await inside.query(
      `insert into fact (key, value) select 'demo', 'yinghu' where not exists (select from customer) on conflict do nothing`,
    );
    if (!(await isDemo(inside))) return;
    for (const customer of DEMO_CUSTOMERS) await addCustomer(inside, customer, parts);
  });
}

async function addCustomer(
  database: Database,
  customer: DemoCustomer,
  { bankRef, newId }: { readonly bankRef: (number: string) => string; readonly newId: () => string },
): Promise<void> {
  const [added] = await database.query<{ id: string }>(
    `insert into customer (id, name, language, tier, branch, flags, bank_ref) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (bank_ref) do nothing returning id`,
    [newId(), customer.name, customer.language, customer.tier, customer.branch, customer.flags, bankRef(customer.key)],
  );
  if (!added) return;
  const consents = [
    ['service_record', 'grant'],
    ['marketing', customer.marketing ? 'grant' : 'refuse'],
  ];
  for (const [purpose, action] of consents) {
    await database.query(
      `insert into consent (customer_id, purpose, action, text_version, language, channel) values ($1, $2, $3, 'demo-1', $4, 'branch')`,
      [added.id, purpose, action, customer.language],
    );
  }
}
