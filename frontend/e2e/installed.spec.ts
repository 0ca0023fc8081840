/** The page as an app: it opens without the server; what is sent never comes near the cache. */
import { expect, test } from '@playwright/test';
import { sample, upload } from './steps';

test.use({ serviceWorkers: 'allow' });

test('the page opens without the server and says so; nothing but its own files is kept', async ({ page, context }) => {
  await page.goto('/');
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await upload(page, sample('sad'));
  await expect(page.getByTestId('emotion')).toBeVisible();
  const kept = await page.evaluate(async () => {
    const cache = await caches.open((await caches.keys())[0]!);
    return (await cache.keys()).map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain('/');
  expect(kept.filter((path) => /api|upload|samples/.test(path))).toEqual([]);
  await context.setOffline(true);
  await page.goto('/live');
  await expect(page.getByRole('heading', { name: 'Speech Emotion' })).toBeVisible();
  await page.goto('/');
  await upload(page, sample('sad'));
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached');
});
