/** What the running service is made of, as npm knows it: a CycloneDX bill of materials without the development tools. */

import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { root } from './tools.mjs';

const Licence = z.union([
  z.object({ expression: z.string() }),
  z.object({ license: z.object({ id: z.string().optional(), name: z.string().optional() }) }),
]);

const Package = z.looseObject({
  group: z.string().optional(),
  name: z.string(),
  version: z.string(),
  licenses: z.array(Licence).default([]),
});

const BillOfMaterials = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(Package).min(1),
});

export type RuntimePackage = z.output<typeof Package>;

/** Asks npm, and names Lobby by its name: npm would name it by the folder it happens to lie in. */
export function billOfMaterials(): z.output<typeof BillOfMaterials> {
  const npm = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev'];
  const json = execFileSync('npm', npm, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const bill = BillOfMaterials.parse(JSON.parse(json));
  bill.metadata.component.name = 'lobby';
  return bill;
}
