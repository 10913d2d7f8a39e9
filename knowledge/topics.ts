/** What customers can be asking about: the bank's list of topics, and how each is handled. */

import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** `answer`: from an article. `personal`: the way to see it yourself, or a person. `person`: first words, then a person. */
export type Handling = 'answer' | 'personal' | 'person';

export interface Topic {
  readonly id: string;
  readonly domain: string;
  readonly handling: Handling;
  /** 2: seconds count. 1: soon. 0: in its turn. */
  readonly urgent: 0 | 1 | 2;
  /** The product an interested customer may be called back about. */
  readonly leadProduct: string | null;
  /** The business class a complaint about this is filed under, by the regulator's list. */
  readonly complaintBusiness: string | null;
}

const COLUMNS = 'topic\tdomain\thandling\turgent\tlead_product\tcomplaint_business';
const HANDLING = { K: 'answer', I: 'personal', H: 'person' } as const;

const optional = z.string().transform((text) => (text === '-' ? null : text));
const Row = z.tuple([
  z.string().regex(/^[a-z_]+(\.[a-z_]+)?$/),
  z.string().min(1),
  z.enum(['K', 'I', 'H']),
  z.enum(['0', '1', '2']),
  optional,
  optional,
]);

/** Reads the topics. Throws an error that names the line when one cannot be read. */
export function readTopics(file: string): ReadonlyMap<string, Topic> {
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/);
  if (header !== COLUMNS)
    throw new Error(`${file}:1: the first line must name the columns ${COLUMNS.replaceAll('\t', ', ')}`);
  const topics = new Map<string, Topic>();
  lines.forEach((line, index) => {
    const row = Row.safeParse(line.split('\t'));
    const place = `${file}:${index + 2}`;
    if (!row.success)
      throw new Error(
        `${place}: ${row.error.issues[0]?.message ?? 'not a topic'}; write six columns between tabs, - for none`,
      );
    const [id, domain, handling, urgent, leadProduct, complaintBusiness] = row.data;
    if (topics.has(id)) throw new Error(`${place}: ${id} is listed twice; keep one`);
    topics.set(id, {
      id,
      domain,
      handling: HANDLING[handling],
      urgent: Number(urgent) as 0 | 1 | 2,
      leadProduct,
      complaintBusiness,
    });
  });
  return topics;
}
