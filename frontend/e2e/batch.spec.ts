/** Analysis of many files. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { firstModel } from './models';
import { sample, tabTo, watch } from './steps';

const names = ['angry', 'happy', 'sad'];
const prediction = {
  ...{ file: 'a.wav', state: 'emotion', confidence: 60, probabilities: { calm: 0.6, neutral: 0.4 }, candidates: [], warnings: [], segments: [] },
  ...{ duration_seconds: 3, speech_seconds: 2, dominant: 'calm', transitions: [], timeline: null, prediction_set: null, intensity: null },
  ...{ warning_codes: [], emotions: [], adapted_seconds: 0 },
};
const row = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(name) });

async function analyseFiles(page: Page) {
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles(names.map(sample));
  await page.getByTestId('files').setInputFiles({ name: 'notes.wav', mimeType: 'audio/wav', buffer: Buffer.from('only words') });
  await expect(page.locator('main').getByText('3 of 4 analysed · 1 failed')).toBeVisible();
}

test('each file has its result or error, and the table can be sorted and filtered', async ({ page, request }) => {
  const { externalRequests } = watch(page);
  await analyseFiles(page);
  await expect(row(page, 'notes.wav')).toContainText('Unsupported audio format');
  const answer = await request.post('/upload', { multipart: { file: { name: 'angry.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('angry')) } } });
  expect(answer.ok()).toBe(true);
  await page.getByRole('button', { name: 'Confidence' }).click();
  await expect(page.getByRole('columnheader', { name: 'Confidence' })).toHaveAttribute('aria-sort', 'descending');
  const shown = await page.locator('tbody tr td:nth-child(3)').allTextContents();
  const values = shown.map((text) => Number.parseInt(text.replace('> ', '')) || -1); // for example “> 99%”
  expect(values).toEqual(values.toSorted((one, other) => other - one));
  await page.getByRole('searchbox').fill('sad');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await page.getByRole('searchbox').fill('');
  await page.locator('[data-testid=distribution] button').first().click();
  await expect(page.locator('tbody tr')).not.toHaveCount(4);
  expect(externalRequests).toEqual([]);
});

test('labels produce a report, and the CSV contains everything', async ({ page }) => {
  await analyseFiles(page);
  const labels = 'file,emotion\nangry.wav,anger\nhappy.wav,joy\nsad.wav,sadness\nelsewhere.wav,sad\n';
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from(labels) });
  const report = page.getByRole('region', { name: 'Compared with the labels' });
  await expect(report).toContainText('Based on 3 labelled recordings');
  await expect(report.getByRole('table').first().getByRole('row')).toHaveCount(4);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as CSV' }).click();
  const lines = readFileSync(await (await download).path(), 'utf-8').trimEnd().split('\r\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^file,state,emotion.*error,label$/);
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from('nothing') });
  await expect(page.getByRole('alert')).toContainText('No labels were found');
});

test('results name their model, and are scored against its classes', async ({ page, request }) => {
  const { models } = (await (await request.get('/api/v1/models')).json()) as { models: { name: string; title: string; labels: string[] }[] };
  const [eight, seven] = [true, false].map((calm) => models.find(({ labels }) => labels.includes('calm') === calm)!);
  await page.route('**/upload', async (route) => {
    const body = route.request().postData()!;
    const name = models.find((model) => body.includes(`\r\n${model.name}\r\n`))!.name;
    const answer = { ...prediction, model: name, emotion: name === eight!.name ? 'calm' : 'neutral' };
    await route.fulfill({ json: answer });
  });
  const choose = async (title: string) => {
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('option').filter({ hasText: title }).first().click();
  };
  await page.goto('/');
  await choose(eight!.title);
  await page.getByRole('link', { name: 'Batch' }).click();
  await expect(page.locator('main').getByText(`Model: ${eight!.title}.`)).toBeVisible();
  await page.getByTestId('files').setInputFiles([sample('angry')]);
  await expect(page.locator('main').getByText('1 of 1 analysed')).toBeVisible();
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from('angry.wav,calm\nsad.wav,calm') });
  await page.getByRole('link', { name: 'Choose another model' }).click();
  await choose(seven!.title);
  await page.getByRole('link', { name: 'Batch' }).click();
  await expect(page.locator('main').getByText(`Model: ${seven!.title}.`)).toBeVisible();
  const report = page.getByRole('region', { name: 'Compared with the labels' });
  await expect(report).toContainText(`Analysed with ${eight!.title}.`);
  await expect(report.getByRole('definition').nth(1)).toHaveText('100.0%');
  await page.getByTestId('files').setInputFiles([sample('sad')]);
  await expect(report).toContainText(`several models: ${eight!.title}, ${seven!.title}.`);
  await expect(report.getByRole('definition').nth(1)).toHaveText('100.0%');
  await expect(row(page, 'sad.wav')).toContainText(seven!.title);
});

test('the queue can be cancelled and retried', async ({ page }) => {
  await page.route('**/upload', () => {});
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles([...names, ...names].map(sample));
  await expect(page.locator('main').getByText('0 of 6 done')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await expect(page.locator('main').getByText('0 of 6 analysed')).toBeVisible();
  await page.unroute('**/upload');
  await page.getByRole('button', { name: 'Retry failed' }).click();
  await expect(page.locator('main').getByText('6 of 6 analysed')).toBeVisible();
});

test('files can be added, cancelled, retried and cleared by keyboard, without losing the focus', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/upload', async (route) => {
    await held;
    await route.continue().catch(() => {}); // fails for a cancelled request
  });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const press = async (name: string) => {
    await tabTo(page, button(name));
    await page.keyboard.press('Enter');
  };
  await page.goto('/batch');
  const chooser = page.waitForEvent('filechooser');
  await press('Choose files');
  await (await chooser).setFiles(names.map(sample));
  await expect(page.locator('main').getByText('0 of 3 done')).toBeVisible();
  await press('Cancel happy.wav');
  await expect(button('Retry happy.wav')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(button('Cancel happy.wav')).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(button('Cancel angry.wav')).toBeFocused();
  await tabTo(page, button('Cancel all'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(button('Retry failed')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(button('Cancel all')).toBeFocused();
  await tabTo(page, button('Cancel sad.wav'));
  release();
  await expect(page.locator('main').getByText('3 of 3 analysed')).toBeVisible();
  await expect(page.getByRole('rowheader', { name: 'sad.wav' })).toBeFocused();
  await tabTo(page, button('Clear the list'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('table')).toHaveCount(0);
  await expect(page.getByRole('combobox', { name: 'Adapt to speakers' })).toBeFocused(); // the nearest control
});

test('a folder is read without files that are not audio', async ({ page }) => {
  await page.goto('/batch');
  await page.getByTestId('folder').setInputFiles(new URL('../public/samples', import.meta.url).pathname);
  await expect(page.locator('main').getByText('3 of 3 analysed')).toBeVisible();
  await expect(row(page, 'samples/sad.wav')).toBeVisible();
});

/** A folder with a folder for each of two speakers, with three recordings each. */
function speakers(folder: string): string {
  for (const speaker of ['asha', 'ben']) {
    mkdirSync(join(folder, speaker), { recursive: true });
    names.forEach((name) => copyFileSync(sample(name), join(folder, speaker, `${name}.wav`)));
  }
  return folder;
}

test('each folder is adapted to its speaker, and no profile is left on the server', async ({ page, request }, testInfo) => {
  expect((await firstModel(request)).profiles).toBe(true);
  const { consoleErrors, externalRequests } = watch(page);
  const changes: string[] = [];
  page.on('request', (sent) => sent.url().includes('/profiles') && sent.method() !== 'GET' && changes.push(sent.method()));
  await page.goto('/batch');
  await page.getByTestId('folder').setInputFiles(speakers(testInfo.outputPath('story')));
  await expect(page.getByRole('combobox', { name: 'Adapt to speakers' })).toHaveValue('One speaker per folder');
  await expect(page.locator('main').getByText('6 of 6 analysed')).toBeVisible();
  await page.getByRole('button', { name: 'Adapted from' }).click();
  for (const cell of await page.locator('tbody tr td:nth-child(4)').allTextContents()) expect(cell).toMatch(/^\d.* s$/);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as CSV' }).click();
  const [head, ...lines] = readFileSync(await (await download).path(), 'utf-8').trimEnd().split('\r\n');
  const column = head!.split(',').indexOf('adapted_seconds');
  expect(lines.map((line) => Number(line.split(',')[column]) > 0)).toEqual(lines.map(() => true));
  await expect.poll(() => changes.toSorted()).toEqual(['DELETE', 'DELETE', 'POST', 'POST']);
  await page.getByRole('link', { name: 'Profiles' }).click();
  await expect(page.locator('main').getByText('No speaker profiles yet')).toBeVisible();
  expect(consoleErrors).toEqual([]);
  expect(externalRequests).toEqual([]);
});

test('leaving the page deletes the profile of a batch that is not finished', async ({ page, request }, testInfo) => {
  await page.route('**/upload', () => {});
  await page.goto('/batch');
  await page.getByTestId('folder').setInputFiles(speakers(testInfo.outputPath('story')));
  const token = () => page.evaluate(() => localStorage.getItem('owner'));
  await expect.poll(token).not.toBeNull();
  const headers = { Authorization: `Bearer ${await token()}` };
  const profiles = async () => ((await (await request.get('/api/v1/profiles', { headers })).json()) as { profiles: { name: string }[] }).profiles;
  await expect.poll(async () => (await profiles()).map(({ name }) => name)).toEqual([expect.stringMatching(/^batch [0-9a-f]+$/)]);
  await expect(page.locator('main').getByText('0 of 6 done')).toBeVisible();
  await page.goto('about:blank');
  await expect.poll(profiles).toEqual([]);
});

test('a dropped folder is read completely, including its subfolders', async ({ page }, testInfo) => {
  const folder = testInfo.outputPath('story');
  mkdirSync(join(folder, 'sad', 'deep'), { recursive: true });
  copyFileSync(sample('sad'), join(folder, 'sad', 'deep', '01.wav'));
  ['notes.txt', '.hidden.wav'].forEach((name) => writeFileSync(join(folder, name), 'only words'));
  const many = 110; // a directory is read 100 entries at a time
  for (let i = 0; i < many; i += 1) copyFileSync(sample('angry'), join(folder, `${i}.wav`));
  const individual = testInfo.outputPath('notes');
  writeFileSync(individual, 'only words');
  await page.route('**/upload', () => {}); // no response, so that all files stay in the queue
  await page.goto('/batch');
  const drop = page.locator('main').getByText('Drop files or a folder here');
  const { x, y } = (await drop.boundingBox())!;
  const browser = await page.context().newCDPSession(page); // a native drop, as from the desktop
  const data = { items: [], files: [folder, individual], dragOperationsMask: 1 };
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop') => browser.send('Input.dispatchDragEvent', { type, x: x + 5, y: y + 5, data });
  await drag('dragEnter');
  await drag('dragOver');
  await expect(page.locator('main').getByText('Drop to analyse them')).toBeVisible();
  await drag('dragOver'); // the element under the pointer was just re-rendered
  await drag('drop');
  await expect(page.locator('main').getByText(`0 of ${many + 2} done`)).toBeVisible();
  await expect(drop).toBeVisible();
  await page.getByRole('searchbox').fill('01.wav');
  await expect(page.getByRole('rowheader', { name: 'story/sad/deep/01.wav' })).toBeVisible();
  await page.getByRole('searchbox').fill('notes');
  await expect(page.getByRole('rowheader')).toHaveText(['notes']); // a file chosen individually is tried; one in a folder is skipped
});

test('the queue keeps running, and results and labels survive, while another view is open', async ({ page }) => {
  let requests = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/upload', async (route) => {
    requests += 1;
    await held;
    await route.continue();
  });
  await page.goto('/batch');
  await page.getByTestId('files').setInputFiles(names.map(sample));
  await expect(page.locator('main').getByText('0 of 3 done')).toBeVisible();
  await page.getByTestId('labels').setInputFiles({ name: 'labels.csv', mimeType: 'text/csv', buffer: Buffer.from('file,emotion\nangry.wav,anger\n') });
  await page.getByRole('link', { name: 'Sessions' }).click();
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeVisible();
  expect(requests).toBe(3);
  release(); // permanently: the queue retries when the server is busy
  await page.getByRole('link', { name: 'Batch' }).click();
  await expect(page.locator('main').getByText('3 of 3 analysed')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Compared with the labels' })).toContainText('Based on 1 labelled recording');
});

test('a long table renders only the visible rows and those around the focus', async ({ page }) => {
  await page.route('**/upload', () => {});
  await page.goto('/batch');
  const buffer = readFileSync(sample('angry'));
  const files = Array.from({ length: 400 }, (_, i) => ({ name: `${i}.wav`, mimeType: 'audio/wav', buffer: buffer.subarray(0, 100) }));
  await page.getByTestId('files').setInputFiles(files);
  await expect(page.getByRole('table')).toHaveAttribute('aria-rowcount', '401');
  const drawn = page.getByRole('rowheader');
  expect(await drawn.count()).toBeLessThan(100);
  const first = page.getByRole('row').filter({ hasText: /^0\.wav/ }).getByRole('button');
  await first.focus();
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(page.getByRole('rowheader', { name: '399.wav', exact: true })).toBeInViewport();
  expect(await drawn.count()).toBeLessThan(100);
  await expect(page.getByRole('rowheader', { name: '200.wav', exact: true })).toHaveCount(0);
  await expect(first).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('row').filter({ hasText: /^1\.wav/ }).getByRole('button')).toBeFocused();
});
