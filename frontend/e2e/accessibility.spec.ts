import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { sample, wav } from './steps';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Axe violations in the light and in the dark colour scheme. */
async function violations(page: Page) {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
    await page.waitForTimeout(300); // until the colour transition is over
    const { violations: one } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    found.push(...one.map(({ id, nodes }) => `${colorScheme}, ${id}: ${nodes.map(({ html }) => html).join(' | ')}`));
  }
  return found;
}

/** Answers the next request with the server's result, changed to unsure. */
async function makeNextResultUnsure(page: Page) {
  const multipart = { file: { name: 'sad.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('sad')) } };
  const result = await (await page.request.post('/api/v1/analyse', { multipart })).json();
  const { prediction } = result;
  const segments = prediction.segments.map((one: object) => ({ ...one, state: 'unsure' }));
  const unsure = { ...prediction, state: 'unsure', confidence: 41, candidates: ['happy', 'sad'], segments };
  await page.route('**/api/v1/analyse', (route) => route.fulfill({ json: { ...result, prediction: unsure } }), { times: 1 });
}

for (const width of [375, 1280]) {
  test.describe(`${width} px`, () => {
    test.describe.configure({ timeout: 180_000 }); // many states, each in two colour schemes
    test.use({ viewport: { width, height: 800 }, contextOptions: { reducedMotion: 'reduce' }, permissions: ['microphone'] });

    test('Analyse has no axe violations in any state and no horizontal overflow', async ({ page }) => {
      await page.goto('/');
      await expect(page.getByRole('button', { name: /Angry voice/ })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Record' }).click();
      await expect(page.getByRole('timer')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: /Angry voice/ }).click();
      await expect(page.getByTestId('emotion')).toBeVisible();
      await expect(page.locator('[data-testid=spectrogram] canvas')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Analyse another' }).click();
      await page.getByTestId('file').setInputFiles({ name: 'x.wav', mimeType: 'audio/wav', buffer: Buffer.from('words') });
      await expect(page.getByRole('alert')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });

    test('choosing emotions has no axe violations, also with too few of them', async ({ page }) => {
      await page.goto('/');
      await page.getByRole('combobox', { name: 'Emotions' }).click();
      await page.getByRole('option', { name: 'Sad' }).click();
      await page.keyboard.press('Escape');
      await expect(page.locator('main').getByText(/^Choose at least two emotions/)).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });

    test('a result that is unsure, has warnings or contains no speech has no axe violations', async ({ page }) => {
      await makeNextResultUnsure(page);
      await page.goto('/');
      await page.getByTestId('file').setInputFiles(sample('sad'));
      await expect(page.getByRole('heading', { name: 'Unsure' })).toBeVisible();
      await expect(page.locator('[data-testid=spectrogram] canvas')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Analyse another' }).click();
      await page.getByTestId('file').setInputFiles({ name: 'silence.wav', mimeType: 'audio/wav', buffer: wav(Buffer.alloc(96000)) });
      await expect(page.getByRole('heading', { name: 'No speech detected' })).toBeVisible();
      await expect(page.getByTestId('warnings')).toContainText('very quiet');
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Analyse another' }).click();
      await page.getByTestId('file').setInputFiles({ name: 'x.wav', mimeType: 'audio/wav', buffer: Buffer.from('words') });
      await page.locator('main').getByText('Details from the server').click();
      await expect(page.locator('main').getByText('Expected one of')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });

    test('a live session has no axe violations while paused or disconnected', async ({ page }) => {
      await page.goto('/live');
      await page.getByRole('button', { name: 'Start listening' }).click();
      await expect(page.getByTestId('live-emotion')).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
      await page.route('**/chunks/**', (route) => route.abort());
      await expect(page.locator('main').getByText(/nothing is lost/)).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.unroute('**/chunks/**');
      await expect(page.locator('main').getByText(/^Paused after/)).toBeVisible();
      await expect(page.locator('main').getByText(/nothing is lost/)).toHaveCount(0);
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });

    test('Profiles has no axe violations when empty, filled in, rejected, created or deleted', async ({ page }) => {
      await page.goto('/voices');
      await expect(page.locator('main').getByText('No speaker profiles yet')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('textbox', { name: 'Name' }).fill('.');
      await page.getByTestId('file').setInputFiles(['angry', 'happy', 'sad'].map(sample));
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Create profile' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('textbox', { name: 'Name' }).fill('Asha');
      await page.getByRole('button', { name: 'Create profile' }).click();
      await expect(page.getByRole('heading', { name: 'The speaker profile “Asha” is ready' })).toBeVisible();
      await expect(page.getByTestId('profile')).toHaveCount(1);
      expect(await violations(page)).toEqual([]);
      await page.goto('/');
      await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('link', { name: 'Profiles' }).click();
      await page.getByRole('button', { name: 'Delete the speaker profile “Asha”' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });

    test('the other views have no axe violations, empty and full', async ({ page }) => {
      await page.goto('/about');
      await expect(page.getByRole('table')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.goto('/batch');
      await expect(page.getByRole('button', { name: 'Choose files' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByTestId('files').setInputFiles(['angry', 'sad'].map(sample));
      await expect(page.locator('main').getByText('2 of 2 analysed')).toBeVisible();
      await page.getByTestId('labels').setInputFiles({ name: 'l.csv', mimeType: 'text/csv', buffer: Buffer.from('angry.wav,angry\nsad.wav,sad') });
      await expect(page.locator('main').getByText('Based on 2 labelled recordings')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.goto('/sessions');
      await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.goto('/live');
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Start listening' }).click();
      await expect(page.getByTestId('live-emotion')).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'End' }).click();
      await expect(page.getByTestId('emotion')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('link', { name: 'Sessions' }).click();
      await expect(page.getByTestId('session')).toHaveCount(1);
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: /^Delete Live/ }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });
  });
}
