import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = 'http://127.0.0.1:5000';
const FIRST_LOAD_BYTES = 250_000; // limit of compressed script for the first view

/** Fails the build if the first load exceeds its limit; large dependencies belong in lazily loaded views. */
function firstLoadBudget(): Plugin {
  return {
    name: 'first-load-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const needed = new Set(
        Object.values(bundle).flatMap((file) => (file.type === 'chunk' && file.isEntry ? [file.fileName, ...file.imports] : [])),
      );
      for (const name of needed) {
        const file = bundle[name];
        if (file?.type === 'chunk') file.imports.forEach((imported) => needed.add(imported)); // iteration includes entries added meanwhile
      }
      const scripts = [...needed].map((name) => bundle[name]).filter((file) => file?.type === 'chunk');
      const bytes = scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
      if (!bytes || bytes > FIRST_LOAD_BYTES)
        this.error(`The first load is ${bytes} bytes of compressed script; at most ${FIRST_LOAD_BYTES}.`);
      this.info(`first load: ${Math.round(bytes / 1000)} kB of compressed script`);
    },
  };
}

/** Requests whose data the first view shows. */
const FIRST_REQUESTS = ['/api/v1/models', '/api/v1/limits', '/samples/index.json'];

/** Preloads the data and the font of the first view in parallel with the script. A late font would cause layout shift. */
function preloadFirstView(): Plugin {
  return {
    name: 'preload-first-view',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => {
        const font = Object.keys(bundle ?? {}).find((name) => /figtree-latin-wght.*\.woff2$/.test(name));
        if (!font) throw new Error('The font to preload is not in the build.');
        const preload = (attrs: Record<string, string>) => ({ tag: 'link', attrs: { rel: 'preload', crossorigin: true, ...attrs } });
        return [
          preload({ as: 'font', type: 'font/woff2', href: `/${font}` }),
          ...FIRST_REQUESTS.map((href) => preload({ as: 'fetch', href })),
        ];
      },
    },
  };
}

/** Files of public/ that the service worker caches; the samples are not among them. */
const PUBLIC_FILES = ['/icon.svg', '/manifest.webmanifest'];

/** Writes build.js, which tells the service worker the files of this build and a cache name that is unique to it. */
function serviceWorkerManifest(): Plugin {
  return {
    name: 'service-worker-manifest',
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
  plugins: [react(), firstLoadBudget(), preloadFirstView(), serviceWorkerManifest()],
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  build: {
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts or scripts
    cssCodeSplit: false, // saves 1 kB per view at most, and Vite does not retry a stylesheet that failed to load
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
