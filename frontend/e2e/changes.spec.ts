/** The microphone hears a voice that changes: silence, an angry voice, silence, a happy one, silence. */
import { expect, test, type Page } from '@playwright/test';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hearing } from './browser';
import { sample } from './steps';

const RATE = 16_000; // of the samples, 16 bit
const HEADER_BYTES = 44;
const WINDOW_SECONDS = 3;
const HOP_SECONDS = 1;
const SILENCE_SECONDS = 6;

const silence = Buffer.alloc(2 * RATE * SILENCE_SECONDS);
const [angry, happy] = ['angry', 'happy'].map((name) => readFileSync(sample(name)).subarray(HEADER_BYTES));
const parts = [silence, angry!, silence, happy!, silence];
/** Where each part begins, in s. */
const begins = parts.map((_, i) => parts.slice(0, i).reduce((sum, { length }) => sum + length, 0) / 2 / RATE);
const recording = join(tmpdir(), 'angry-then-happy.wav');
writeFileSync(recording, joined());

test.use({ launchOptions: hearing(recording), permissions: ['microphone'] });

function joined(): Buffer {
  const header = Buffer.from(readFileSync(sample('angry')).subarray(0, HEADER_BYTES));
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  header.writeUInt32LE(HEADER_BYTES - 8 + bytes, 4);
  header.writeUInt32LE(bytes, HEADER_BYTES - 4);
  return Buffer.concat([header, ...parts]);
}

/** Remembers when the recording began to play. */
function holdBeginning() {
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    performance.mark('microphone');
    return stream;
  };
}

/** How much of the recording had played when the session began, in s. */
const missed = (page: Page) =>
  page.evaluate(() => {
    const begun = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/api/v1/live')) as PerformanceResourceTiming;
    return (begun.startTime - performance.getEntriesByName('microphone')[0]!.startTime) / 1000;
  });

interface Run {
  heard: string;
  /** When the timeline's first stretch with this answer begins and ends, s of the session. */
  from: number;
  to: number;
}

/** What the timeline says, from the table behind it, answer by answer; what is unsure between them is passed over. */
async function timeline(page: Page): Promise<Run[]> {
  await page.getByRole('button', { name: 'The last 30 minutes as a table' }).click();
  const runs: Run[] = [];
  for (const row of await page.getByRole('row').filter({ has: page.getByRole('cell') }).all()) {
    const [, end, heard] = await row.getByRole('cell').allTextContents();
    const [minutes, seconds] = end!.split(':').map(Number);
    const to = 60 * minutes! + seconds!;
    if (heard !== 'Unsure' && heard !== runs.at(-1)?.heard) runs.push({ heard: heard!, from: to - HOP_SECONDS, to });
  }
  return runs;
}

test('a voice that changes is shown to change within one window of where it does', async ({ page }) => {
  await page.addInitScript(holdBeginning);
  await page.goto('/live');
  await page.getByRole('button', { name: 'Start listening' }).click();
  const answers = ['No speech', 'Angry', 'No speech', 'Happy', 'No speech'];
  for (const heard of answers) await expect(page.getByTestId('live-emotion')).toHaveText(heard);
  await page.getByRole('button', { name: 'Pause' }).click();
  const runs = await timeline(page);
  expect(runs.map(({ heard }) => heard)).toEqual(answers);
  const before = await missed(page);
  runs.slice(1).forEach(({ from, to }, i) => {
    const change = begins[i + 1]! - before;
    expect(to).toBeGreaterThan(change);
    expect(from - change).toBeLessThanOrEqual(WINDOW_SECONDS);
  });
});
