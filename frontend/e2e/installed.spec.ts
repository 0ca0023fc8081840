/** The page as an installed app: every view opens offline, and the cache never contains recordings or results. */
import { expect, test, type Page } from '@playwright/test';
import { sample, upload } from './steps';

test.use({ serviceWorkers: 'allow' });

const VIEWS = { '/live': 'Live', '/batch': 'Batch', '/sessions': 'Sessions', '/voices': 'Speaker profiles', '/about': 'About' };

async function install(page: Page) {
  await page.goto('/');
  await page.evaluate(() => navigator.serviceWorker.ready);
}

/** Names of the caches and paths of their entries. */
const cached = (page: Page) =>
  page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return { names, paths: requests.flat().map(({ url }) => new URL(url).pathname) };
  });

test('every view opens offline, even for the first time, and reports when it needs the server', async ({ page, context }) => {
  await install(page);
  await context.setOffline(true);
  for (const [address, title] of Object.entries(VIEWS)) {
    await page.goto(address);
    await expect(page.locator('h2').filter({ hasText: title })).toBeVisible();
    await expect(page.locator('main').getByText('This view stopped working')).toHaveCount(0);
  }
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 2, name: 'Hear the emotion in a voice' })).toBeVisible();
  await upload(page, sample('sad'));
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached');
});

test('caches only the files of the current build', async ({ page }) => {
  await page.goto('/health');
  await page.evaluate(async () => (await caches.open('page-1')).put('/assets/old.js', new Response('')));
  await install(page);
  await page.reload();
  await upload(page, sample('sad'));
  await expect(page.getByTestId('emotion')).toBeVisible();
  await page.goto('/sessions');
  await expect(page.getByRole('link', { name: 'sad.wav' })).toBeVisible();
  const { names, paths } = await cached(page);
  expect(names).toEqual([expect.stringMatching(/^page-[0-9a-f]{16}$/)]);
  const assets = paths.filter((path) => path.startsWith('/assets/'));
  for (const name of ['Explorer', 'capture-worklet']) expect(assets.some((path) => path.includes(name))).toBe(true);
  expect(assets).not.toContain('/assets/old.js');
  expect(paths.filter((path) => !assets.includes(path)).toSorted()).toEqual(['/', '/icon.svg', '/manifest.webmanifest']);
});

test('the page opens offline, whichever other addresses were visited', async ({ page, context }) => {
  await install(page);
  for (const address of ['/health', '/metrics', '/samples/happy.wav', '/samples/index.json']) await page.goto(address);
  await context.setOffline(true);
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Record' })).toBeVisible();
  await expect(page.goto('/health')).rejects.toThrow('ERR_INTERNET_DISCONNECTED');
});
