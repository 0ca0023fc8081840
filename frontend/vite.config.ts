import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const backend = 'http://127.0.0.1:5000';

export default defineConfig({
  plugins: [react()],
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
