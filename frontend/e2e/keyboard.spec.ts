/** What stands beside the views, with the keyboard alone: model, language, colours. */
import { expect, test, type Locator, type Page } from '@playwright/test';

/** Goes on with the Tab key until something has the focus. */
async function tabTo(page: Page, target: Locator) {
  await expect(target).toBeVisible();
  for (let i = 0; i < 40 && !(await target.evaluate((element) => element === document.activeElement)); i += 1) {
    await page.keyboard.press('Tab');
  }
  await expect(target).toBeFocused();
}

const sight = (page: Page) => page.locator('html').getAttribute('data-mantine-color-scheme');

test('the model is chosen, and then answers', async ({ page, request }) => {
  const { models } = (await (await request.get('/api/v1/models')).json()) as { models: { name: string; title: string }[] };
  await page.goto('/');
  const picker = page.getByRole('combobox', { name: 'Model' });
  await tabTo(page, picker);
  const before = await picker.inputValue();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('option')).toHaveCount(models.length);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('option')).toHaveCount(0);
  await expect(picker).toHaveValue(before);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('option')).toHaveCount(models.length); // a list that is still opening takes no key
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(picker).not.toHaveValue(before);
  await expect(picker).toBeFocused();
  const chosen = await picker.inputValue();
  const { name } = models.find(({ title }) => title === chosen)!;
  const sample = page.getByRole('button', { name: /Angry voice/ });
  await sample.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('emotion')).toBeFocused();
  await expect(page.getByTestId('result-foot')).toContainText(`analysed with ${name} in`);
});

test('the language is chosen from its menu, and remembered', async ({ page }) => {
  await page.goto('/');
  const menu = page.getByRole('button', { name: 'Language: English' });
  await tabTo(page, menu);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitemradio')).toHaveCount(3);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menuitemradio')).toHaveCount(0);
  await expect(menu).toBeFocused();
  await page.keyboard.press('Enter');
  const spanish = page.getByRole('menuitemradio', { name: 'Español' });
  for (let i = 0; i < 5 && !(await spanish.evaluate((element) => element === document.activeElement)); i += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('lang', 'es');
  await expect(page.getByRole('button', { name: /Español/ })).toBeFocused();
  await page.reload();
  await expect(page.getByRole('link', { name: 'En vivo' })).toBeVisible();
});

test('the colours go from the system to light to dark and back, and are remembered', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  const button = page.getByRole('button', { name: /^Colours/ });
  await tabTo(page, button);
  await expect(button).toHaveAccessibleName('Colours: system');
  expect(await sight(page)).toBe('dark');
  for (const [key, chosen, scheme] of [['Enter', 'light', 'light'], ['Space', 'dark', 'dark']] as const) {
    await page.keyboard.press(key);
    await expect(button).toHaveAccessibleName(`Colours: ${chosen}`);
    await expect(button).toBeFocused();
    await expect.poll(() => sight(page)).toBe(scheme);
    await page.emulateMedia({ colorScheme: scheme === 'dark' ? 'light' : 'dark' }); // what is chosen counts
    await page.reload();
    await expect(button).toHaveAccessibleName(`Colours: ${chosen}`);
    expect(await sight(page)).toBe(scheme);
    await tabTo(page, button);
  }
  await page.keyboard.press('Enter');
  await expect(button).toHaveAccessibleName('Colours: system');
  await expect.poll(() => sight(page)).toBe('light');
});
