/** Builds the pages: hashed and compressed files under `dist/web`, with `embed.js` as one plain script beside them. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, defineConfig, type Plugin } from 'vite';

const web = import.meta.dirname;

/** Phones of the last years, and the browsers inside other apps. */
const TARGET = ['chrome100', 'edge100', 'firefox100', 'safari15.4'];
/** Smaller files gain nothing. */
const WORTH_COMPRESSING = 600;

export default defineConfig({
  root: web,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: TARGET,
    outDir: resolve(web, '../dist/web'),
    emptyOutDir: true,
    // Everything is a file of its own: the pages' policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { chat: join(web, 'chat/index.html'), start: join(web, 'start/index.html') } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3978', '/v3': { target: 'http://127.0.0.1:3978', ws: true } } },
  plugins: [embedAndCompress()],
});

function embedAndCompress(): Plugin {
  let folder = '';
  return {
    name: 'lobby-embed-and-compress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      await buildEmbed(folder);
      await compressAll(folder);
    },
  };
}

/** A bank's page loads it as a classic script, so it can share nothing with the pages. */
async function buildEmbed(folder: string): Promise<void> {
  await build({
    root: web,
    configFile: false,
    logLevel: 'warn',
    build: {
      target: TARGET,
      outDir: folder,
      emptyOutDir: false,
      lib: { entry: join(web, 'embed/embed.ts'), formats: ['iife'], name: 'lobbyEmbed', fileName: () => 'embed.js' },
    },
  });
}

async function compressAll(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files.filter((file) => file.isFile() && /\.(?:html|js|css|svg)$/.test(file.name));
  await Promise.all(texts.map((file) => compress(join(file.parentPath, file.name))));
}

async function compress(path: string): Promise<void> {
  const content = await readFile(path);
  if (content.length < WORTH_COMPRESSING) return;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, quality));
}
