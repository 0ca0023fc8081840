import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { firstModel } from './models';
import { sample, upload, watch } from './steps';

const emotion = (page: Page) => page.getByTestId('emotion');

/** Cells of all tables on the page whose edges are not those of the header above them; and how many were looked at. */
const columns = (page: Page) =>
  page.locator('table').evaluateAll((tables: HTMLTableElement[]) => {
    const astray: string[] = [];
    let seen = 0;
    for (const table of tables) {
      const above: HTMLTableCellElement[] = [];
      const free: number[] = []; // first row in which a column is not taken by a cell from further up
      for (const row of table.rows) {
        let column = 0;
        for (const cell of row.cells) {
          while ((free[column] ?? 0) > row.rowIndex) column += 1;
          const [own, head] = [cell, (above[column] ??= cell)].map((one) => one.getBoundingClientRect());
          if (Math.abs(own!.left - head!.left) > 1 || Math.abs(own!.right - head!.right) > 1) astray.push(`${above[column]!.innerText}: ${cell.innerText}`);
          for (let i = 0; i < cell.colSpan; i += 1) free[column + i] = row.rowIndex + cell.rowSpan;
          column += cell.colSpan;
          seen += 1;
        }
      }
    }
    return { astray, seen };
  });

async function expectColumns(page: Page) {
  const { astray, seen } = await columns(page);
  expect(seen).toBeGreaterThan(2);
  expect(astray).toEqual([]);
}
test('one click on a sample gives a result, without a complaint and without a foreign request', async ({ page, request }) => {
  const { complaints, foreign } = watch(page);
  await page.goto('/');
  await page.getByRole('button', { name: /Angry voice/ }).click();
  await expect(emotion(page)).toBeVisible();
  await expect(page.getByText('The actor meant: angry.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Probability of each emotion' }).getByRole('listitem')).toHaveCount((await firstModel(request)).labels.length);
  await page.getByRole('button', { name: 'Play the recording' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  expect(complaints).toEqual([]);
  expect(foreign).toEqual([]);
});

test('what the first view shows is asked for once, with the page itself', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto('/', { waitUntil: 'networkidle' });
  const answers = asked.filter((path) => /^.api|samples/.test(path)).toSorted();
  expect(answers).toEqual(['/api/v1/limits', '/api/v1/models', '/samples/index.json']);
});

test('the page is drawn while the server takes its time', async ({ page }) => {
  await page.route(/api\/v1/, () => {});
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('an upload takes two clicks and shows what the API says', async ({ page, request }) => {
  await page.goto('/');
  await upload(page, sample('sad'));
  await expect(emotion(page)).toBeVisible();
  const answer = await request.post('/upload', {
    multipart: {
      file: { name: 'sad.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('sad')) },
      model: (await firstModel(request)).name,
    },
  });
  await expect(emotion(page)).toHaveAttribute('data-emotion', (await answer.json()).emotion);
});

test('a recording can be dropped anywhere', async ({ page }) => {
  await page.goto('/');
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], 'dropped.wav'));
    return transfer;
  }, readFileSync(sample('happy')).toString('base64'));
  await page.dispatchEvent('header', 'dragenter', { dataTransfer: data });
  await expect(page.getByText('Let go to analyse it')).toBeVisible();
  await page.dispatchEvent('header', 'drop', { dataTransfer: data });
  await expect(emotion(page)).toBeVisible();
});

test('everything works by keyboard', async ({ page }) => {
  await page.goto('/');
  const button = page.getByRole('button', { name: /Sad voice/ });
  for (let i = 0; i < 30 && !(await button.evaluate((element) => element === document.activeElement)); i += 1) {
    await page.keyboard.press('Tab');
  }
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(emotion(page)).toBeFocused();
  const again = page.getByRole('button', { name: 'Analyse another' });
  for (let i = 0; i < 30 && !(await again.evaluate((element) => element === document.activeElement)); i += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('a text file named .wav is explained', async ({ page }) => {
  await page.goto('/');
  await upload(page, { name: 'notes.wav', mimeType: 'audio/wav', buffer: Buffer.from('these are only words') });
  await expect(page.getByRole('alert')).toContainText('This is not a recording we can read');
  await page.getByRole('button', { name: 'Choose another recording' }).click();
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('30 MB is refused with the same words by the page and by the server', async ({ page }) => {
  const large = test.info().outputPath('large.wav');
  writeFileSync(large, Buffer.alloc(30 * 1024 * 1024));
  await page.goto('/');
  await expect(page.getByText(/up to 25 MB/)).toBeVisible();
  await upload(page, large);
  await expect(page.getByRole('alert')).toContainText('The file is too large');
  // a page that believes in another limit sends it, and can read the server's 413
  const limits = { max_upload_bytes: 2 ** 30, max_audio_seconds: 1800, min_audio_seconds: 0.1, formats: ['wav'] };
  await page.route('**/api/v1/limits', (route) => route.fulfill({ json: limits }));
  await page.goto('/');
  await expect(page.getByText(/up to 1024 MB/)).toBeVisible();
  await page.unroute('**/api/v1/limits'); // or the 30 MB would go through the interception as well
  await upload(page, large);
  await expect(page.getByRole('alert')).toContainText('The file is too large');
  await expect(page.getByRole('alert')).toContainText(/30.0 MiB; at most 25 MiB/);
});

test('silence is answered with no speech', async ({ page }) => {
  const wav = Buffer.from(readFileSync(sample('sad')));
  wav.fill(0, 44);
  await page.goto('/');
  await upload(page, { name: 'silence.wav', mimeType: 'audio/wav', buffer: wav });
  await expect(page.getByRole('heading', { name: 'No speech heard' })).toBeVisible();
});

test('when the server is gone the recording is kept', async ({ page }) => {
  await page.goto('/');
  await page.route('**/api/v1/analyse', (route) => route.abort(), { times: 1 });
  await upload(page, sample('happy'));
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(emotion(page)).toBeVisible();
});

test('waiting can be stopped, and the recording is kept', async ({ page }) => {
  await page.goto('/');
  await page.route('**/api/v1/analyse', () => {}, { times: 1 });
  await upload(page, sample('happy'));
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('alert')).toContainText('Stopped');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(emotion(page)).toBeVisible();
});

for (const width of [375, 1280]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 800 } });

    test('in every table the cells stand under their headers', async ({ page }) => {
      await page.goto('/about');
      await expect(page.getByRole('table')).toBeVisible();
      await expectColumns(page);
      await page.addStyleTag({ content: 'table { display: flex }' }); // such a slip would be seen
      expect((await columns(page)).astray).not.toEqual([]);
      await page.goto('/batch');
      await page.getByTestId('files').setInputFiles(['angry', 'happy', 'sad'].map(sample));
      await expect(page.getByRole('main').getByText('3 of 3 analysed')).toBeVisible();
      await page.getByTestId('labels').setInputFiles({ name: 'l.csv', mimeType: 'text/csv', buffer: Buffer.from('angry.wav,angry\nsad.wav,sad') });
      await expect(page.getByRole('table')).toHaveCount(3);
      await expectColumns(page);
      await page.goto('/?sample=angry');
      await expect(emotion(page)).toBeVisible();
      const behind = page.getByRole('button', { name: / as a table/ });
      await expect(page.locator('.spectrogram canvas')).toBeVisible();
      for (const button of await behind.all()) await button.click();
      await expect(page.getByRole('table')).toHaveCount(await behind.count());
      await expectColumns(page);
    });
  });
}
