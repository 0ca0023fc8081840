import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = 'http://127.0.0.1:5000';
const FIRST_LOAD_BYTES = 250_000; // of compressed script before anything is on screen

/** Fails the build when the first load has become too large: what is heavy belongs into a lazy view. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const needed = new Set(
        Object.values(bundle).flatMap((file) => (file.type === 'chunk' && file.isEntry ? [file.fileName, ...file.imports] : [])),
      );
      for (const name of needed) {
        const file = bundle[name];
        if (file?.type === 'chunk') file.imports.forEach((imported) => needed.add(imported)); // a Set is walked while it grows
      }
      const scripts = [...needed].map((name) => bundle[name]).filter((file) => file?.type === 'chunk');
      const bytes = scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
      if (!bytes || bytes > FIRST_LOAD_BYTES)
        this.error(`The first load is ${bytes} bytes of compressed script; at most ${FIRST_LOAD_BYTES}.`);
      this.info(`first load: ${Math.round(bytes / 1000)} kB of compressed script`);
    },
  };
}

/** Addresses whose answers the first view shows. */
const FIRST_ANSWERS = ['/api/v1/models', '/api/v1/limits', '/samples/index.json'];

/** Has the browser load beside the script what is needed once it runs. A font that comes later makes every line jump. */
function early(): Plugin {
  return {
    name: 'early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => {
        const font = Object.keys(bundle ?? {}).find((name) => /figtree-latin-wght.*\.woff2$/.test(name));
        if (!font) throw new Error('The font that the page begins with is not in the build.');
        const preload = (attrs: Record<string, string>) => ({ tag: 'link', attrs: { rel: 'preload', crossorigin: true, ...attrs } });
        return [
          preload({ as: 'font', type: 'font/woff2', href: `/${font}` }),
          ...FIRST_ANSWERS.map((href) => preload({ as: 'fetch', href })),
        ];
      },
    },
  };
}

/** What the page needs of public/; never the samples. */
const PUBLIC_FILES = ['/icon.svg', '/manifest.webmanifest'];

/** Lists for the service worker what this build consists of, under a name that is another one for every other build. */
function build(): Plugin {
  return {
    name: 'build',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      const hashed = Object.keys(bundle)
        .filter((name) => name.startsWith('assets/'))
        .toSorted();
      const named = ['index.html', ...PUBLIC_FILES].map((name) => readFileSync(join(dir!, name)));
      const hash = [hashed.join(), ...named]
        .reduce((sum, part) => sum.update(part), createHash('sha256'))
        .digest('hex')
        .slice(0, 16);
      const parts = { cache: `page-${hash}`, hashed: hashed.map((name) => `/${name}`), files: PUBLIC_FILES };
      writeFileSync(join(dir!, 'build.js'), `const BUILD = ${JSON.stringify(parts)};\n`);
    },
  };
}

export default defineConfig({
  plugins: [react(), budget(), early(), build()],
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  build: {
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts or scripts
    cssCodeSplit: false, // a view's own styles are 1 kB, and Vite never asks again for a stylesheet that did not come
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: Object.fromEntries(['/upload', '/predict', '/health', '/api', '/docs', '/openapi.json'].map((path) => [path, backend])),
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['tests/setup.ts'],
    include: ['{src,tests}/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    testTimeout: 20_000, // on a busy machine
  },
});
