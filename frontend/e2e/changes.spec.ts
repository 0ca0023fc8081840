/** A live session with changing emotions. The microphone plays silence, angry speech, silence, happy speech, silence. */
import { expect, test, type Page } from '@playwright/test';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeMicrophone } from './browser';
import { sample } from './steps';

const RATE = 16_000; // of the sample recordings, 16 bit
const HEADER_BYTES = 44;
const WINDOW_SECONDS = 3;
const HOP_SECONDS = 1;
const SILENCE_SECONDS = 6;

const silence = Buffer.alloc(2 * RATE * SILENCE_SECONDS);
const [angry, happy] = ['angry', 'happy'].map((name) => readFileSync(sample(name)).subarray(HEADER_BYTES));
const parts = [silence, angry!, silence, happy!, silence];
/** Start of each part in s. */
const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { length }) => sum + length, 0) / 2 / RATE);
const recording = join(tmpdir(), 'angry-then-happy.wav');
writeFileSync(recording, joined());

test.use({ launchOptions: fakeMicrophone(recording), permissions: ['microphone'] });

function joined(): Buffer {
  const header = Buffer.from(readFileSync(sample('angry')).subarray(0, HEADER_BYTES));
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  header.writeUInt32LE(HEADER_BYTES - 8 + bytes, 4);
  header.writeUInt32LE(bytes, HEADER_BYTES - 4);
  return Buffer.concat([header, ...parts]);
}

/** Notes when the fake microphone starts to play. */
function markMicrophoneStart() {
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    performance.mark('microphone');
    return stream;
  };
}

/** Seconds of the recording that had played when the session started. */
const playedBeforeStart = (page: Page) =>
  page.evaluate(() => {
    const begun = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/api/v1/live')) as PerformanceResourceTiming;
    return (begun.startTime - performance.getEntriesByName('microphone')[0]!.startTime) / 1000;
  });

interface Run {
  result: string;
  /** Start and end of the first timeline entry of the run, in s of the session. */
  from: number;
  to: number;
}

/** Runs of equal results in the table behind the timeline; unsure entries are skipped. */
async function timeline(page: Page): Promise<Run[]> {
  await page.getByRole('button', { name: 'The last 30 minutes as a table' }).click();
  const runs: Run[] = [];
  for (const row of await page.getByRole('row').filter({ has: page.getByRole('cell') }).all()) {
    const [, end, result] = await row.getByRole('cell').allTextContents();
    const [minutes, seconds] = end!.split(':').map(Number);
    const to = 60 * minutes! + seconds!;
    if (result !== 'Unsure' && result !== runs.at(-1)?.result) runs.push({ result: result!, from: to - HOP_SECONDS, to });
  }
  return runs;
}

test('a change of emotion is shown within one window of its time', async ({ page }) => {
  await page.addInitScript(markMicrophoneStart);
  await page.goto('/live');
  await page.getByRole('button', { name: 'Start listening' }).click();
  const expected = ['No speech', 'Angry', 'No speech', 'Happy', 'No speech'];
  for (const result of expected) await expect(page.getByTestId('live-emotion')).toHaveText(result);
  await page.getByRole('button', { name: 'Pause' }).click();
  const before = await playedBeforeStart(page);
  const changes = starts.slice(1).map((start) => start - before);
  const atEdge = ({ result, to }: Run) => !expected.includes(result) && changes.some((at) => to > at && to - at <= WINDOW_SECONDS + HOP_SECONDS);
  // a window that holds the beginning or the end of a sample only may have another answer
  const runs = (await timeline(page)).filter((run) => !atEdge(run));
  expect(runs.map(({ result }) => result)).toEqual(expected);
  runs.slice(1).forEach(({ from, to }, i) => {
    expect(to).toBeGreaterThan(changes[i]!);
    expect(from - changes[i]!).toBeLessThanOrEqual(WINDOW_SECONDS);
  });
});
