import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { firstModel } from './models';
import { sample, upload, watch } from './steps';

const emotion = (page: Page) => page.getByTestId('emotion');

/** Table cells that are not aligned with the header of their column, and the number of cells checked. */
const columns = (page: Page) =>
  page.locator('table').evaluateAll((tables: HTMLTableElement[]) => {
    const misaligned: string[] = [];
    let seen = 0;
    for (const table of tables) {
      const above: HTMLTableCellElement[] = [];
      const free: number[] = []; // first row of each column below a cell that spans rows
      for (const row of table.rows) {
        let column = 0;
        for (const cell of row.cells) {
          while ((free[column] ?? 0) > row.rowIndex) column += 1;
          const [own, head] = [cell, (above[column] ??= cell)].map((one) => one.getBoundingClientRect());
          if (Math.abs(own!.left - head!.left) > 1 || Math.abs(own!.right - head!.right) > 1) misaligned.push(`${above[column]!.innerText}: ${cell.innerText}`);
          for (let i = 0; i < cell.colSpan; i += 1) free[column + i] = row.rowIndex + cell.rowSpan;
          column += cell.colSpan;
          seen += 1;
        }
      }
    }
    return { misaligned, seen };
  });

async function expectColumns(page: Page) {
  const { misaligned, seen } = await columns(page);
  expect(seen).toBeGreaterThan(2);
  expect(misaligned).toEqual([]);
}

test('one click on a sample gives a result, without errors or external requests', async ({ page, request }) => {
  const { consoleErrors, externalRequests } = watch(page);
  await page.goto('/');
  await page.getByRole('button', { name: /Angry voice/ }).click();
  await expect(emotion(page)).toBeVisible();
  await expect(page.locator('main').getByText('Intended by the actor: angry.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Probability of each emotion' }).getByRole('listitem')).toHaveCount((await firstModel(request)).labels.length);
  await page.getByRole('button', { name: 'Play the recording' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  expect(consoleErrors).toEqual([]);
  expect(externalRequests).toEqual([]);
});

test('the result is among the chosen emotions only', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('combobox', { name: 'Emotions' }).click();
  for (const name of ['Neutral', 'Happy']) await page.getByRole('option', { name }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /Angry voice/ }).click();
  await expect(page.locator('main').getByText('Among: happy, neutral')).toBeVisible();
  const rows = page.getByRole('list', { name: 'Probability of each emotion' }).getByRole('listitem');
  await expect(rows).toHaveText([/^(Happy|Neutral)/, /^(Happy|Neutral)/]);
});

test('the data of the first view are requested only once', async ({ page }) => {
  const paths: string[] = [];
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  await page.goto('/', { waitUntil: 'networkidle' });
  const data = paths.filter((path) => /^.api|samples/.test(path)).toSorted();
  expect(data).toEqual(['/api/v1/limits', '/api/v1/models', '/samples/index.json']);
});

test('the page is rendered before the server responds', async ({ page }) => {
  await page.route(/api\/v1/, () => {});
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('an upload takes two clicks and shows the result of the API', async ({ page, request }) => {
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

test('a recording can be dropped anywhere on the page', async ({ page }) => {
  await page.goto('/');
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], 'dropped.wav'));
    return transfer;
  }, readFileSync(sample('happy')).toString('base64'));
  await page.dispatchEvent('header', 'dragenter', { dataTransfer: data });
  await expect(page.getByText('Drop to analyse it')).toBeVisible();
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

test('an analysis can be cancelled, and the recording is kept', async ({ page }) => {
  await page.goto('/');
  await page.route('**/api/v1/analyse', () => {}, { times: 1 });
  await upload(page, sample('happy'));
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('alert')).toContainText('Cancelled');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(emotion(page)).toBeVisible();
});

const view = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name }).click();

test('a session can be opened repeatedly, in its current state on the server', async ({ page }) => {
  await page.goto('/');
  await upload(page, sample('angry'));
  await expect(emotion(page)).toBeVisible();
  for (let time = 0; time < 2; time += 1) {
    await view(page, 'Sessions');
    await page.getByRole('link', { name: 'angry.wav' }).click();
    await expect(page.getByRole('heading', { name: 'angry.wav' })).toBeVisible();
    await page.getByRole('button', { name: 'Analyse another' }).click();
    await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
  }
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'angry.wav' })).toBeVisible();
  await view(page, 'Sessions');
  await page.getByRole('button', { name: 'Rename angry.wav' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('A bad morning');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'A bad morning' }).click();
  await expect(page.getByRole('heading', { name: 'A bad morning' })).toBeVisible();
  await view(page, 'Sessions');
  await page.getByRole('button', { name: 'Delete A bad morning' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('alert')).toContainText('Session not found');
  await expect(emotion(page)).toHaveCount(0);
});

test('Back analyses the sample again after a new analysis was started', async ({ page }) => {
  await page.goto('/?sample=angry');
  await page.getByRole('button', { name: 'Analyse another' }).click();
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
  await page.goBack();
  await expect(page.locator('main').getByText('Intended by the actor: angry.')).toBeVisible();
});

test('a result that is not stored survives a visit to another view, and Analyse then leads to the start', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('switch', { name: /Store the result/ }).uncheck({ force: true });
  await upload(page, sample('sad'));
  await expect(emotion(page)).toBeVisible();
  await view(page, 'About');
  await expect(page.getByRole('heading', { name: 'About' })).toBeVisible();
  await view(page, 'Analyse');
  await expect(emotion(page)).toBeVisible();
  await view(page, 'Analyse');
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
  await page.goBack();
  await page.getByRole('button', { name: 'Analyse another' }).click();
  await view(page, 'About');
  await view(page, 'Analyse');
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('everything works with site data blocked, and nothing is remembered', async ({ page }) => {
  const { consoleErrors } = watch(page);
  await page.addInitScript(() => {
    const blocked = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
    Object.defineProperty(window, 'localStorage', { get: blocked });
  });
  await page.goto('/');
  await page.getByRole('button', { name: 'Dismiss this notice' }).click();
  const keep = page.getByRole('switch', { name: /Store the result/ });
  await expect(keep).not.toBeChecked(); // it could not be found again
  await keep.check({ force: true });
  await upload(page, sample('angry'));
  await expect(emotion(page)).toBeVisible();
  await view(page, 'Sessions');
  await expect(page.getByRole('link', { name: 'angry.wav' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Dismiss this notice' })).toHaveCount(0);
  await page.getByRole('button', { name: /Language/ }).click();
  await page.getByRole('menuitemradio', { name: 'Español' }).click();
  await expect(page.getByRole('heading', { name: 'Sesiones' })).toBeVisible();
  await page.getByRole('button', { name: /Colores/ }).click();
  await page.reload();
  await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
  expect(consoleErrors).toEqual([]);
});

test('sends requests even if the browser reports being offline, and reports an unreachable server at once', async ({ page }) => {
  await page.goto('/');
  await upload(page, sample('angry'));
  await expect(emotion(page)).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await view(page, 'Sessions');
  await page.getByRole('button', { name: 'Delete angry.wav' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('main').getByText('No stored results yet')).toBeVisible();
  await view(page, 'About');
  await page.route('**/api/v1/sessions?**', (route) => route.abort());
  await view(page, 'Sessions');
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached', { timeout: 3000 });
});

test('a view that failed to load is retried without a reload, which would lose the result', async ({ page }) => {
  await page.goto('/');
  await page.route('**/assets/Explorer-*', (route) => route.abort());
  await page.getByRole('button', { name: /Angry voice/ }).click();
  for (let time = 0; time < 2; time += 1) {
    await expect(page.getByRole('alert')).toContainText('This view stopped working');
    if (time) await page.unroute('**/assets/Explorer-*');
    const requested = page.waitForRequest(/Explorer-/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await requested;
  }
  await expect(page.locator('[data-testid=spectrogram] canvas')).toBeVisible();
  await page.route('**/assets/About-*', (route) => route.abort());
  await view(page, 'About');
  await expect(page.getByRole('alert')).toContainText('This view stopped working');
  await page.unroute('**/assets/About-*');
  await view(page, 'Analyse');
  await expect(emotion(page)).toBeVisible();
  await view(page, 'About');
  await expect(page.getByRole('heading', { level: 2, name: 'About' })).toBeVisible();
});

for (const width of [375, 1280]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 800 } });

    test('the cells of every table are aligned with their headers', async ({ page }) => {
      await page.goto('/about');
      await expect(page.getByRole('table')).toBeVisible();
      await expectColumns(page);
      await page.addStyleTag({ content: 'table { display: flex }' }); // checks that misalignment is detected
      expect((await columns(page)).misaligned).not.toEqual([]);
      await page.goto('/batch');
      await page.getByTestId('files').setInputFiles(['angry', 'happy', 'sad'].map(sample));
      await expect(page.locator('main').getByText('3 of 3 analysed')).toBeVisible();
      await page.getByTestId('labels').setInputFiles({ name: 'l.csv', mimeType: 'text/csv', buffer: Buffer.from('angry.wav,angry\nsad.wav,sad') });
      await expect(page.getByRole('table')).toHaveCount(3);
      await expectColumns(page);
      await page.goto('/?sample=angry');
      await expect(emotion(page)).toBeVisible();
      const behind = page.getByRole('button', { name: / as a table/ });
      await expect(page.locator('[data-testid=spectrogram] canvas')).toBeVisible();
      for (const button of await behind.all()) await button.click();
      await expect(page.getByRole('table')).toHaveCount(await behind.count());
      await expectColumns(page);
    });
  });
}
