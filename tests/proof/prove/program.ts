/** The programs of one run: the service as it is built, and the gate compiled, both copied so that a run of many minutes proves one version. */

import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../../../scripts/build.mjs';
import { root, run } from '../../../scripts/tools.mjs';

export interface Programs {
  /** The service's `main.js`. */
  readonly service: string;
  /** The gate process's `gate.js`. */
  readonly gate: string;
}

export async function preparePrograms(folder: string, say: (line: string) => void): Promise<Programs> {
  await build(root, say);
  await mkdir(folder, { recursive: true });
  await Promise.all([
    cp(join(root, 'dist'), join(folder, 'service'), { recursive: true }),
    writeFile(join(folder, 'package.json'), '{ "type": "module" }\n'),
    symlink(join(root, 'node_modules'), join(folder, 'node_modules')),
  ]);
  await compileGate(folder);
  return {
    service: join(folder, 'service/bot/main.js'),
    gate: join(folder, 'gate/tests/proof/prove/gate.js'),
  };
}

async function compileGate(folder: string): Promise<void> {
  const project = join(folder, 'tsconfig.json');
  const settings = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: root,
      outDir: join(folder, 'gate'),
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [],
    files: [join(root, 'tests/proof/prove/gate.ts')],
  };
  await writeFile(project, JSON.stringify(settings));
  if ((await run('tsc', ['-p', project])) !== 0) throw new Error('The gate program does not compile.');
}
