/** Many files at once. */
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { sample, watch } from './steps';

const names = ['angry', 'happy', 'sad'];
const row = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(name) });

async function full(page: Page) {
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles(names.map(sample));
  await page.getByTestId('files').setInputFiles({ name: 'notes.wav', mimeType: 'audio/wav', buffer: Buffer.from('only words') });
  await expect(page.getByRole('main').getByText('3 of 4 analysed · 1 failed')).toBeVisible();
}

test('each file has its answer or its own error, and the table is sorted and filtered', async ({ page, request }) => {
  const { foreign } = watch(page);
  await full(page);
  await expect(row(page, 'notes.wav')).toContainText('This is not a recording we can read');
  const answer = await request.post('/upload', { multipart: { file: { name: 'angry.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('angry')) } } });
  expect(answer.ok()).toBe(true);
  await page.getByRole('button', { name: 'Confidence' }).click();
  await expect(page.getByRole('columnheader', { name: 'Confidence' })).toHaveAttribute('aria-sort', 'descending');
  const shown = await page.locator('tbody tr td:nth-child(3)').allTextContents();
  const values = shown.map((text) => Number.parseInt(text.replace('> ', '')) || -1); // such as “> 99 %”
  expect(values).toEqual(values.toSorted((one, other) => other - one));
  await page.getByRole('searchbox').fill('sad');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await page.getByRole('searchbox').fill('');
  await page.locator('.distribution button').first().click();
  await expect(page.locator('tbody tr')).not.toHaveCount(4);
  expect(foreign).toEqual([]);
});

test('with labels there is a report, and the CSV has everything', async ({ page }) => {
  await full(page);
  const labels = 'file,emotion\nangry.wav,anger\nhappy.wav,joy\nsad.wav,sadness\nelsewhere.wav,sad\n';
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from(labels) });
  const report = page.getByRole('region', { name: 'Compared with the labels' });
  await expect(report).toContainText('On 3 labelled recordings');
  await expect(report.getByRole('table').first().getByRole('row')).toHaveCount(4);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as CSV' }).click();
  const lines = readFileSync(await (await download).path(), 'utf-8').trimEnd().split('\r\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^file,state,emotion.*error,label$/);
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from('nothing') });
  await expect(page.getByRole('alert')).toContainText('No label was found');
});

test('the queue can be cancelled and tried again', async ({ page }) => {
  await page.route('**/upload', () => {});
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles([...names, ...names].map(sample));
  await expect(page.getByRole('main').getByText('0 of 6 done')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await expect(page.getByRole('main').getByText('0 of 6 analysed')).toBeVisible();
  await page.unroute('**/upload');
  await page.getByRole('button', { name: 'Try the failed again' }).click();
  await expect(page.getByRole('main').getByText('6 of 6 analysed')).toBeVisible();
});

test('a folder is read, and what is no audio in it is left out', async ({ page }) => {
  await page.goto('/batch');
  await page.getByTestId('folder').setInputFiles(new URL('../public/samples', import.meta.url).pathname);
  await expect(page.getByRole('main').getByText('3 of 3 analysed')).toBeVisible();
  await expect(row(page, 'samples/sad.wav')).toBeVisible();
});

test('leaving for another page neither stops the queue nor loses answers and labels', async ({ page }) => {
  const held: (() => void)[] = [];
  await page.route('**/upload', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles(names.map(sample));
  await expect(page.getByRole('main').getByText('0 of 3 done')).toBeVisible();
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from('file,emotion\nangry.wav,anger\n') });
  await page.getByRole('link', { name: 'Sessions' }).click();
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeVisible();
  expect(held).toHaveLength(3);
  held.forEach((release) => release());
  await page.getByRole('link', { name: 'Batch' }).click();
  await expect(page.getByRole('main').getByText('3 of 3 analysed')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Compared with the labels' })).toContainText('On 1 labelled recording');
});
