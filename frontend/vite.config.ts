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
      const needed = new Set(Object.values(bundle).flatMap((file) => (file.type === 'chunk' && file.isEntry ? [file.fileName, ...file.imports] : [])));
      for (const name of needed) {
        const file = bundle[name];
        if (file?.type === 'chunk') file.imports.forEach((imported) => needed.add(imported)); // a Set is walked while it grows
      }
      const scripts = [...needed].map((name) => bundle[name]).filter((file) => file?.type === 'chunk');
      const bytes = scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
      if (!bytes || bytes > FIRST_LOAD_BYTES) this.error(`The first load is ${bytes} bytes of compressed script; at most ${FIRST_LOAD_BYTES}.`);
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
        return [preload({ as: 'font', type: 'font/woff2', href: `/${font}` }), ...FIRST_ANSWERS.map((href) => preload({ as: 'fetch', href }))];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), budget(), early()],
  build: {
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts or scripts
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
