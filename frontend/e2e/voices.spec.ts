/** Speaker profiles: created, used and deleted by this browser only. */
import { expect, test, type Page } from '@playwright/test';
import { sample, watch } from './steps';

const SAMPLES = ['angry', 'happy', 'sad'].map(sample);
const rows = (page: Page) => page.getByTestId('profile');
const recordings = (page: Page) => page.getByRole('list', { name: 'Recordings' }).getByRole('listitem');

async function createProfile(page: Page, name: string) {
  await page.goto('/voices');
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByTestId('file').setInputFiles(SAMPLES);
  await expect(page.locator('main').getByText('3 recordings', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Create profile' }).click();
  await expect(page.getByRole('heading', { name: `The speaker profile “${name}” is ready` })).toBeFocused();
}

test('a profile can be created, used and deleted, and is named in results and sessions', async ({ page, browser, baseURL }) => {
  const { consoleErrors, externalRequests } = watch(page);
  await createProfile(page, 'Asha K');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(/Asha K.*Whisper.*3 recordings, .* of speech/);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Analyse with the speaker profile “Asha K”' }).click();
  await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha K');
  await page.getByRole('button', { name: /Angry voice/ }).click();
  await expect(page.getByTestId('emotion')).toBeVisible();
  await expect(page.locator('main').getByText('calibrated to the speaker profile “Asha K”')).toBeVisible();
  await page.reload();
  await expect(page.locator('main').getByText('calibrated to the speaker profile “Asha K”')).toBeVisible();
  await page.getByRole('button', { name: 'Analyse another' }).click();
  await page.getByTestId('file').setInputFiles(sample('sad'));
  await expect(page.getByTestId('emotion')).toBeVisible();
  await page.getByRole('link', { name: 'Sessions' }).click();
  await expect(page.getByTestId('session')).toContainText('calibrated to the speaker profile “Asha K”');
  await page.goto('/live');
  await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha K');

  const other = await browser.newContext({ baseURL });
  const otherPage = await other.newPage();
  await otherPage.goto('/voices');
  await expect(otherPage.getByText('No speaker profiles yet')).toBeVisible();
  await other.close();

  await page.getByRole('link', { name: 'Profiles' }).click();
  await page.getByRole('button', { name: 'Delete the speaker profile “Asha K”' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Delete the speaker profile “Asha K”' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('main').getByText('No speaker profiles yet')).toBeVisible();
  await page.getByRole('link', { name: 'Analyse' }).click();
  await expect(page.getByRole('button', { name: /Angry voice/ })).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toHaveCount(0);
  expect(consoleErrors).toEqual([]);
  expect(externalRequests).toEqual([]);
});

test('a rejection is explained, and the input is kept', async ({ page }) => {
  await page.goto('/voices');
  await page.getByRole('textbox', { name: 'Name' }).fill('../asha');
  await page.getByTestId('file').setInputFiles(SAMPLES);
  await page.getByTestId('file').setInputFiles([{ name: 'notes.wav', mimeType: 'audio/wav', buffer: Buffer.from('only words') }]);
  const create = page.getByRole('button', { name: 'Create profile' });
  await create.click();
  await expect(page.getByRole('alert')).toContainText('This name cannot be used');
  await page.getByRole('textbox', { name: 'Name' }).fill('आशा');
  await create.click();
  await expect(page.getByRole('alert')).toContainText('Unsupported audio format');
  await expect(page.getByRole('alert')).toContainText('notes.wav');
  await expect(recordings(page)).toHaveCount(4);
  await page.getByRole('button', { name: 'Remove notes.wav' }).click();
  await page.getByTestId('file').setInputFiles(Array.from({ length: 6 }, () => SAMPLES).flat());
  await expect(recordings(page)).toHaveCount(21);
  await create.click();
  await expect(page.getByRole('alert')).toContainText('Too many recordings');
  await expect(page.getByRole('alert')).toContainText('21 recordings were sent; expected at most 20');
});

test('creating a profile can be cancelled and retried', async ({ page }) => {
  await page.goto('/voices');
  await page.getByRole('textbox', { name: 'Name' }).fill('Asha');
  await page.getByTestId('file').setInputFiles(SAMPLES);
  await page.route('**/api/v1/profiles', () => {}, { times: 1 });
  await page.getByRole('button', { name: 'Create profile' }).click();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('the profile is created anyway');
  await expect(recordings(page)).toHaveCount(3);
  await page.getByRole('link', { name: 'About' }).click();
  await page.getByRole('link', { name: 'Profiles' }).click();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'The speaker profile “Asha” is ready' })).toBeFocused();
});

test('a live session uses the selected profile, and starts without it after it was deleted', async ({ page, context }) => {
  await context.grantPermissions(['microphone']);
  await createProfile(page, 'Asha');
  await page.getByRole('region', { name: /is ready/ }).getByRole('button', { name: /^Analyse/ }).click();
  await page.getByRole('link', { name: 'Live' }).click();
  await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
  await page.getByRole('button', { name: 'Start listening' }).click();
  await expect(page.locator('main').getByText('Calibrated to the speaker profile “Asha”.')).toBeVisible();
  await expect(page.getByTestId('live-emotion')).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
  await page.getByRole('link', { name: 'Analyse' }).click();
  await page.getByRole('link', { name: 'Live' }).click();
  await expect(page.getByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
  const token = await page.evaluate(() => localStorage.getItem('owner'));
  await page.request.delete('/api/v1/profiles/Asha', { headers: { Authorization: `Bearer ${token}` } });
  await page.getByRole('button', { name: 'Start listening' }).click();
  await expect(page.getByRole('alert')).toContainText('Speaker profile not found');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('live-emotion')).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
  await expect(page.locator('main').getByText('Calibrated to')).toHaveCount(0);
});

test('advises how to improve a profile', async ({ page }) => {
  await page.goto('/voices');
  await page.getByRole('textbox', { name: 'Name' }).fill('Asha');
  await page.getByTestId('file').setInputFiles(SAMPLES[0]!);
  await page.getByRole('button', { name: 'Create profile' }).click();
  await expect(page.getByRole('region', { name: 'The speaker profile “Asha” is ready' })).toContainText('5 to 20 recordings work better');
});

test.describe('with a microphone', () => {
  test.use({ permissions: ['microphone'] });

  test('several recordings can be made by keyboard', async ({ page }) => {
    await page.goto('/voices');
    await page.getByRole('button', { name: 'Record' }).focus();
    for (const number of [1, 2, 3]) {
      await expect(page.getByRole('button', { name: 'Record', exact: true })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('timer')).toHaveText('0:02');
      await page.keyboard.press('Enter'); // Stop has the focus
      await expect(recordings(page).nth(number - 1)).toContainText(new RegExp(`Recording ${number}.* s · .* KiB`));
    }
    await page.getByRole('textbox', { name: 'Name' }).focus();
    await page.keyboard.type('Asha');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'The speaker profile “Asha” is ready' })).toBeFocused();
    await expect(rows(page)).toContainText('3 recordings');
  });
});
