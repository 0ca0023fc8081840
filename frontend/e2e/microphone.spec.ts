/** Recording. The fake microphone plays public/samples/angry.wav once, then silence; each getUserMedia call restarts it. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { firstModel } from './models';

const clip = new URL('../public/samples/angry.wav', import.meta.url).pathname;
const CLIP_MILLISECONDS = 2757;

test.describe('with a microphone', () => {
  test.use({ permissions: ['microphone'] });

  test('a recording yields the same emotion as the file, in at most three clicks', async ({ page, request }) => {
    const answer = await request.post('/upload', {
      multipart: {
        file: { name: 'clip.wav', mimeType: 'audio/wav', buffer: readFileSync(clip) },
        model: (await firstModel(request)).name,
      },
    });
    const expected = await answer.json();
    await page.goto('/');
    await page.getByRole('button', { name: 'Record' }).click();
    await expect(page.getByRole('timer')).toBeVisible();
    await page.waitForTimeout(CLIP_MILLISECONDS + 300);
    const upload = page.waitForResponse('**/api/v1/analyse');
    await page.getByRole('button', { name: 'Stop' }).click();
    const { prediction: recorded } = await (await upload).json();
    await expect(page.getByTestId('emotion')).toHaveAttribute('data-emotion', expected.emotion);
    expect(recorded.probabilities[expected.emotion]).toBeCloseTo(expected.probabilities[expected.emotion], 0);
    expect(recorded.duration_seconds).toBeGreaterThan(CLIP_MILLISECONDS / 1000 - 0.1);
  });

  test('the meter moves, cancel releases the device, and recording works again', async ({ page }) => {
    await page.addInitScript(() => {
      const tracks: MediaStreamTrack[] = [];
      const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = await original(constraints);
        tracks.push(...stream.getTracks());
        return stream;
      };
      Object.assign(window, { tracks });
    });
    await page.goto('/');
    for (const round of [1, 2]) {
      await page.getByRole('button', { name: 'Record' }).click();
      const meter = page.getByRole('meter');
      await expect.poll(async () => Number(await meter.getAttribute('aria-valuenow'))).toBeGreaterThan(40);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
      const states = await page.evaluate(() => (window as unknown as { tracks: MediaStreamTrack[] }).tracks.map((track) => track.readyState));
      expect(states).toEqual(Array.from({ length: round }, () => 'ended'));
    }
  });
});
