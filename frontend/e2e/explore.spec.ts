/** The result over time, by mouse and by keyboard. */
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { sample, upload, watch } from './steps';

const stage = (page: Page) => page.getByRole('group', { name: /Chart over time/ });
const width = (page: Page) => page.getByTestId('segment').first().evaluate((element) => element.getBoundingClientRect().width);

/** Concatenates sample recordings with pauses between them: 16 kHz, 16 bit, mono. */
function concatenated(names: string[]): Buffer {
  const parts = names.flatMap((name) => [readFileSync(sample(name)).subarray(44), Buffer.alloc(2 * 24000)]);
  const data = Buffer.concat([...parts, ...parts]);
  const header = Buffer.from(readFileSync(sample(names[0]!)).subarray(0, 44));
  header.writeUInt32LE(36 + data.length, 4);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

async function analyseStory(page: Page) {
  await page.goto('/');
  await upload(page, { name: 'story.wav', mimeType: 'audio/wav', buffer: concatenated(['angry', 'sad']) });
  await expect(page.locator('[data-testid=spectrogram] canvas')).toBeVisible();
}

/** Number of colours on a canvas. */
const colours = (page: Page, canvas = '[data-testid=spectrogram] canvas') =>
  page.locator(canvas).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4 * 97) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
    return seen.size;
  });

test('keys zoom, move between segments, play and repeat', async ({ page }) => {
  const { consoleErrors } = watch(page);
  await analyseStory(page);
  await stage(page).focus();
  const before = await width(page);
  await page.keyboard.press(']');
  await page.keyboard.press('+');
  expect(await width(page)).toBeGreaterThan(1.5 * before);
  await page.keyboard.press('0');
  expect(await width(page)).toBeCloseTo(before, 0);
  await page.keyboard.press(']');
  const second = page.getByTestId('segment').nth(1);
  await expect(second).toHaveAttribute('aria-pressed', 'true');
  const label = await second.getAttribute('aria-label');
  await expect(page.getByTestId('segment-detail')).toContainText(label!);
  await page.keyboard.press('l');
  await expect(page.getByRole('button', { name: 'Repeat the segment' })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: 'Play the recording' })).toBeVisible();
  expect(consoleErrors).toEqual([]);
});

test('hovering shows the probabilities of a segment, a click seeks there', async ({ page }) => {
  await analyseStory(page);
  const last = page.getByTestId('segment').last();
  await last.hover();
  await expect(page.getByTestId('segment-detail')).toContainText((await last.getAttribute('aria-label'))!);
  const wave = page.getByTestId('wave-track');
  const { x, width: room } = (await wave.boundingBox())!;
  await wave.click({ position: { x: 0.5 * room, y: 20 } });
  const playhead = async () => (await page.getByTestId('playhead').boundingBox())!.x - x;
  await expect.poll(async () => Math.abs((await playhead()) - 0.5 * room)).toBeLessThan(4);
});

test('draws three kinds of spectrogram and the attention', async ({ page }) => {
  await analyseStory(page);
  for (const [kind, column] of [['Linear', '500 to 1,000 Hz (dB)'], ['Chroma', 'F♯ (dB)'], ['Mel', '500 to 1,000 Hz (dB)']] as const) {
    await page.getByTestId('toolbar').getByText(kind, { exact: true }).click();
    await expect.poll(() => colours(page)).toBeGreaterThan(30);
    const table = page.getByRole('button', { name: `Spectrogram (${kind}) as a table` });
    if ((await table.getAttribute('aria-expanded')) === 'false') await table.click();
    await expect(page.getByRole('columnheader', { name: column })).toBeVisible();
  }
  await page.getByRole('switch', { name: /attended|Moments that mattered/ }).check({ force: true });
  await expect(page.locator('[data-testid=attention] canvas')).toBeVisible();
});

test('every chart has a table behind it', async ({ page }) => {
  await analyseStory(page);
  const shown = page.getByRole('button', { name: / as a table/ });
  const count = await shown.count();
  expect(count).toBeGreaterThanOrEqual(4);
  for (let i = 0; i < count; i += 1) {
    await shown.nth(i).click();
    await expect(page.getByTestId('data-table').nth(i).getByRole('row').nth(1)).toBeVisible();
  }
});

test('scroll keys in a table do not move the playback position', async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await analyseStory(page);
  await page.getByTestId('toolbar').getByText('Chroma', { exact: true }).click();
  await page.getByRole('button', { name: 'Spectrogram (Chroma) as a table' }).click();
  const place = page.locator('[data-testid=data-table] [tabindex="0"]');
  const clock = page.getByTestId('clock');
  const before = await clock.textContent();
  await place.focus();
  for (const key of ['ArrowRight', 'ArrowRight', ' ', 'End']) await page.keyboard.press(key);
  await expect.poll(() => place.evaluate((element) => element.scrollLeft)).toBeGreaterThan(20);
  await expect.poll(() => place.evaluate((element) => element.scrollTop)).toBeGreaterThan(20);
  await expect(clock).toHaveText(before!);
  await expect(page.getByRole('button', { name: 'Play the recording' })).toBeVisible();
});

test('the waveform follows the colour scheme', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await analyseStory(page);
  const shade = () =>
    page.locator('[data-testid=wave-track] canvas').first().evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) return [...data.slice(i, i + 3)].join();
      return '';
    });
  const light = await shade();
  expect(light).not.toBe('');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(shade).not.toBe(light);
});

test('the attention of a stored session is drawn without its audio', async ({ page }) => {
  await analyseStory(page);
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('link', { name: 'story.wav' }).click();
  await expect(page.locator('main').getByText('The recording itself was not stored')).toBeVisible();
  await page.getByRole('switch', { name: /attended|Moments that mattered/ }).check({ force: true });
  await expect.poll(() => colours(page, '[data-testid=attention] canvas')).toBeGreaterThan(1);
  await expect(page.getByTestId('spectrogram')).toHaveCount(0);
});

test('the timeline can be saved as a PNG', async ({ page }) => {
  await analyseStory(page);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /PNG/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('story.png');
  const picture = readFileSync(await file.path());
  expect([picture.subarray(1, 4).toString(), picture.readUInt32BE(16)]).toEqual(['PNG', 1600]);
});

test('a sample has a link, a private recording has none, and browser navigation works', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/');
  await page.getByRole('button', { name: /Angry voice/ }).click();
  await page.getByRole('button', { name: 'Copy link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(link).search).toBe('?sample=angry');
  await page.goBack();
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
  await page.goForward();
  await expect(page.getByTestId('emotion')).toBeVisible();
  await page.goto('/about');
  await page.goto(link);
  await expect(page.locator('main').getByText('Intended by the actor: angry.')).toBeVisible();
  await page.getByRole('button', { name: 'Analyse another' }).click();
  await upload(page, sample('sad'));
  await expect(page.getByTestId('emotion')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Copy link' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

for (const [condition, denied] of [['without a clipboard API', false], ['if the clipboard is denied', true]] as const) {
  test(`the link can be copied manually ${condition}`, async ({ page }) => {
    const { consoleErrors } = watch(page);
    await page.addInitScript((deny) => {
      const clipboard = deny ? { writeText: () => Promise.reject(new DOMException('', 'NotAllowedError')) } : undefined;
      Object.defineProperty(navigator, 'clipboard', { get: () => clipboard });
    }, denied);
    await page.goto('/?sample=angry');
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = page.getByRole('textbox', { name: /Link/ });
    await expect(link).toBeFocused();
    await expect(link).toHaveValue(/^http:\/\/localhost:\d+\/\?sample=angry$/);
    expect(await page.evaluate(() => getSelection()!.toString())).toMatch(/sample=angry$/);
    expect(consoleErrors).toEqual([]);
  });
}

test('a format that the browser cannot play is analysed, too', async ({ page }) => {
  await page.addInitScript(() => {
    OfflineAudioContext.prototype.decodeAudioData = () => Promise.reject(new DOMException('', 'EncodingError'));
    AudioContext.prototype.decodeAudioData = () => Promise.reject(new DOMException('', 'EncodingError'));
  });
  await page.goto('/');
  await upload(page, sample('angry'));
  await expect(page.locator('main').getByText('This browser cannot play this format')).toBeVisible();
  await expect(page.getByTestId('segment')).toHaveCount(1);
});
