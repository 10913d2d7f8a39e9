/** `npm run sbom [-- file]`: writes the software bill of materials of the running service (CycloneDX). */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { billOfMaterials } from './runtime-packages.ts';

const file = resolve(process.argv[2] ?? 'dist/sbom.cdx.json');
const bill = billOfMaterials();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
console.log(`${file}: ${bill.components.length} packages`);
