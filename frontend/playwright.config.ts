import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { fakeMicrophone } from './e2e/browser';

// Tests the built page on the real server in a system Chromium; `python3 -m backend test` sets SER_PYTHON and SER_CHROMIUM.
const port = 5071;
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const own = process.platform === 'win32' ? path('../backend/.venv/Scripts/python.exe') : path('../backend/.venv/bin/python');
const python = process.env.SER_PYTHON ?? (existsSync(own) ? own : 'python3');
const results = join(tmpdir(), `page-results-${process.pid}.sqlite`).replaceAll('\\', '/'); // a separate database for the tests

export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 20_000 }, // on a busy machine
  retries: process.env.CI ? 1 : 0, // audio plays in real time, and a busy machine can drop some of it
  reporter: 'list',
  use: {
    baseURL: `http://localhost:${port}`,
    locale: 'en-GB',
    serviceWorkers: 'block', // otherwise requests would bypass the specs' routes
    browserName: 'chromium',
    launchOptions: fakeMicrophone(path('./public/samples/angry.wav')),
  },
  webServer: {
    command: `"${python}" -P -m ser serve --port ${port} --no-browser`,
    cwd: path('../backend'),
    env: { SER_DATABASE_URL: `sqlite:///${results}` },
    url: `http://localhost:${port}/health`,
    timeout: 60_000,
    stderr: 'ignore', // one line per request; relevant errors reach the tests
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5000 },
  },
});
