/** `npm run licences`: every package the running service is made of must be under a licence a bank can ship. */

import { refusedPackages } from './licence-policy.ts';
import { billOfMaterials } from './runtime-packages.ts';

const { components } = billOfMaterials();
const refused = refusedPackages(components);
for (const { name, version, licence } of refused) console.error(`${name} ${version}: ${licence}`);
console.log(`${components.length - refused.length} packages under allowed licences, ${refused.length} not`);
process.exitCode = refused.length === 0 ? 0 : 1;
