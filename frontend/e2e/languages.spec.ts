/** Every language, and right-to-left layout. */
import { expect, test } from '@playwright/test';

const VIEWS = ['/', '/live', '/batch', '/sessions', '/voices', '/about', '/?sample=angry'];

test.describe('Hindi browser', () => {
  test.use({ locale: 'hi-IN' });

  test('shows Hindi, and remembers a language chosen instead', async ({ page }) => {
    await page.goto('/');
    await expect(page.locator('html')).toHaveAttribute('lang', 'hi');
    await expect(page.getByRole('link', { name: 'लाइव' })).toBeVisible();
    await page.getByRole('button', { name: /आवाज़: क्रोध/ }).click();
    await expect(page.getByTestId('emotion')).toHaveText('क्रोध');
    await page.getByRole('button', { name: /भाषा/ }).click();
    await page.getByRole('menuitemradio', { name: 'Español' }).click();
    await expect(page.getByTestId('emotion')).toHaveText('Enfado');
    await page.reload();
    await expect(page.getByRole('link', { name: 'En vivo' })).toBeVisible();
  });
});

for (const [language, locale] of [['Hindi', 'hi-IN'], ['Spanish', 'es-MX'], ['English', 'en-US']] as const) {
  test.describe(language, () => {
    test.use({ locale, viewport: { width: 375, height: 800 } });

    test('the navigation fits at every width', async ({ page }) => {
      await page.goto('/about');
      await expect(page.getByRole('table')).toBeVisible();
      for (const width of [320, 700, 701, 980, 981, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBeLessThanOrEqual(width);
      }
    });

    test('no view overflows at 375 px, left to right and right to left', async ({ page }) => {
      for (const view of VIEWS) {
        for (const direction of ['ltr', 'rtl']) {
          await page.goto(view);
          await expect(page.locator('main section').first()).toBeVisible();
          await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
          const room = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
          expect(room[0], `${view} ${direction}`).toBeLessThanOrEqual(room[1]!);
        }
      }
    });
  });
}
