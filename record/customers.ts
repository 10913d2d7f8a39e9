/** Who the customer is, and which channel accounts are theirs. */

import type { Database, Language } from './types.ts';

/** A customer as the chat may greet them. */
export interface Customer {
  readonly id: string;
  readonly name: string | null;
  readonly language: Language | null;
}

/** How a visitor became a known customer. */
export type SignIn =
  | { readonly outcome: 'known'; readonly customer: Customer }
  /** This device, or this conversation, belongs to another customer: they sign out first. */
  | { readonly outcome: 'somebody_else' };

/**
 * Ties a web visitor, and the conversation they are in, to the customer the bank vouches for.
 * The conversation goes on; from its next row on the record knows whose it is.
 * `bankRef` is the fingerprint of the bank's customer number, `verifiedBy` says who vouched.
 */
export async function signIn(
  database: Database,
  visit: {
    readonly userId: string;
    readonly conversationId: string | null;
    readonly bankRef: string;
    readonly name: string | null;
    readonly verifiedBy: string;
    readonly newId: () => string;
  },
): Promise<SignIn> {
  return database.transaction(async (inside) => {
    const customer = await findOrAdd(inside, visit);
    const identity = await verifyIdentity(inside, visit, customer.id);
    if (identity === null) return { outcome: 'somebody_else' };
    if (visit.conversationId !== null) {
      const [linked] = await inside.query<{ seq: number | null }>('select link_conversation($1, $2, $3) as seq', [
        visit.conversationId,
        identity,
        customer.id,
      ]);
      if (linked?.seq === -1) return { outcome: 'somebody_else' };
    }
    return { outcome: 'known', customer };
  });
}

async function findOrAdd(
  database: Database,
  { bankRef, name, newId }: { readonly bankRef: string; readonly name: string | null; readonly newId: () => string },
): Promise<Customer> {
  const [customer] = await database.query<Customer>(
    `insert into customer as c (id, name, bank_ref) values ($1, $2, $3)
     on conflict (bank_ref) do update set name = coalesce(c.name, excluded.name)
     returning c.id, c.name, c.language`,
    [newId(), name, bankRef],
  );
  if (!customer) throw new Error('The customer row was neither found nor made.');
  return customer;
}

/** The identity row in force for this visitor and customer; null when the visitor is another customer already. */
async function verifyIdentity(
  database: Database,
  { userId, verifiedBy, newId }: { readonly userId: string; readonly verifiedBy: string; readonly newId: () => string },
  customerId: string,
): Promise<string | null> {
  const [current] = await database.query<{ id: string; customer_id: string | null }>(
    `select id, customer_id from identity
      where channel = 'web' and account = 'lobby' and external_id = $1 and valid_to is null for update`,
    [userId],
  );
  if (current?.customer_id === customerId) return current.id;
  if (current && current.customer_id !== null) return null;
  if (current) await database.query('update identity set valid_to = now() where id = $1', [current.id]);
  const id = newId();
  await database.query(
    `insert into identity (id, channel, account, external_id, level, customer_id, verified_at, verified_by)
     values ($1, 'web', 'lobby', $2, 2, $3, now(), $4)`,
    [id, userId, customerId, verifiedBy],
  );
  return id;
}
