/** Stored results: viewed, renamed, exported and deleted by this browser only. */
import { readFileSync } from 'node:fs';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { sample, tabTo, upload } from './steps';

async function store(page: Page, name = 'angry') {
  await page.goto('/');
  await upload(page, sample(name));
  await expect(page.getByTestId('emotion')).toBeVisible();
}

const open = (page: Page) => page.getByRole('link', { name: 'Sessions' }).click();
const rows = (page: Page) => page.getByTestId('session');

test('a stored result opens again without its audio, and is hidden from another browser', async ({ page, browser, baseURL }) => {
  await store(page);
  const emotion = await page.getByTestId('emotion').textContent();
  await open(page);
  await page.getByRole('link', { name: 'angry.wav' }).click();
  await expect(page.getByTestId('emotion')).toHaveText(emotion!);
  await expect(page.locator('main').getByText('The recording itself was not stored')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Play the recording' })).toHaveCount(0);
  const address = page.url();
  const other = await browser.newContext({ baseURL });
  const otherPage = await other.newPage();
  await otherPage.goto('/sessions');
  await expect(otherPage.getByText('No stored results yet')).toBeVisible();
  await otherPage.goto(address);
  await expect(otherPage.getByRole('alert')).toContainText('Session not found');
  await other.close();
});

test('sessions can be searched, renamed and deleted, one or all', async ({ page }) => {
  for (const name of ['angry', 'happy', 'sad']) await store(page, name);
  await open(page);
  await expect(rows(page)).toHaveCount(3);
  await page.getByRole('button', { name: 'Rename sad.wav' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('A grey morning');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'A grey morning' })).toBeVisible();
  await page.getByRole('searchbox').fill('grey');
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('searchbox').fill('nothing like it');
  await expect(page.locator('main').getByText('No session matches')).toBeVisible();
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: 'Delete happy.wav' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(rows(page)).toHaveCount(3);
  await page.getByRole('button', { name: 'Delete happy.wav' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole('button', { name: 'Delete all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
});

test('sessions can be searched, renamed, exported and deleted by keyboard, without losing the focus', async ({ page }) => {
  for (const name of ['angry', 'happy', 'sad']) await store(page, name);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  const press = async (control: Locator) => {
    await tabTo(page, control);
    await page.keyboard.press('Enter');
  };
  await tabTo(page, link('Sessions'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('searchbox'));
  await page.keyboard.type('happy');
  await expect(rows(page)).toHaveCount(1);
  for (let i = 0; i < 5; i += 1) await page.keyboard.press('Backspace');
  await expect(rows(page)).toHaveCount(3);
  await press(button('Rename sad.wav'));
  await expect(page.getByRole('textbox', { name: 'Name', exact: true })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(button('Rename sad.wav')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Name', exact: true })).toBeFocused();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('A grey morning');
  await page.keyboard.press('Enter');
  await expect(button('Rename A grey morning')).toBeFocused();
  await press(button('Export happy'));
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(button('Export happy')).toBeFocused();
  await page.keyboard.press('Enter');
  const download = page.waitForEvent('download');
  while ((await page.locator(':focus').textContent()) !== 'CSV (spreadsheet)') await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  expect((await download).suggestedFilename()).toMatch(/^happy.*\.csv$/);
  await expect(button('Export happy')).toBeFocused();
  const dialog = page.getByRole('dialog');
  await press(button('Delete happy.wav'));
  await press(dialog.getByRole('button', { name: 'Delete' }));
  await expect(rows(page)).toHaveCount(2);
  await expect(link('angry.wav')).toBeFocused();
  await press(button('Delete angry.wav'));
  await press(dialog.getByRole('button', { name: 'Delete' }));
  await expect(rows(page)).toHaveCount(1);
  await expect(link('A grey morning')).toBeFocused();
  await tabTo(page, button('Delete all'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await press(dialog.getByRole('button', { name: 'Delete' }));
  await expect(link('Back to home')).toBeFocused();
});

test('every export can be downloaded, and contains the result shown', async ({ page }) => {
  await store(page);
  const emotion = (await page.getByTestId('emotion').getAttribute('data-emotion'))!;
  const expected: Record<string, RegExp> = {
    'JSON (everything)': new RegExp(`"emotion": ?"${emotion}"[^]*"attention"[^]*"descriptors"[^]*"curves"[^]*"marks"[^]*"statistics"`),
    'CSV (spreadsheet)': new RegExp(`^file,state,emotion[^]*angry.wav,\\w+,${emotion},`),
    'Audacity labels': new RegExp(`^[\\d.]+\t[\\d.]+\t.*${emotion}`),
    'TextGrid (Praat)': /^File type = "ooTextFile"/,
    'WebVTT subtitles': new RegExp(`^WEBVTT[^]*-->[^]*${emotion}`),
    'SRT subtitles': /^1\n00:00:0\d,\d{3} --> /,
    RTTM: new RegExp(`^SPEAKER \\S+ 1 [\\d.]+ [\\d.]+ <NA> <NA> ${emotion}`),
  };
  for (const [name, content] of Object.entries(expected)) {
    await page.getByRole('button', { name: /^Export/ }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^angry\.\w+/);
    expect(readFileSync(await file.path(), 'utf-8')).toMatch(content);
  }
});

test('with storing turned off, a result is stored only for an export that needs it', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('switch', { name: /Store the result/ }).uncheck({ force: true });
  await upload(page, sample('sad'));
  await expect(page.getByTestId('emotion')).toBeVisible();
  await open(page);
  await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
  await page.goBack();
  for (const [name, content] of [['JSON', /"prediction"[^]*"descriptors"/], ['CSV', /^file,state/]] as const) {
    await page.getByRole('button', { name: /^Export/ }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name }).click();
    expect(readFileSync(await (await download).path(), 'utf-8')).toMatch(content);
  }
  await open(page);
  await expect(rows(page)).toHaveCount(1);
});
