/** Model, language and colour scheme, by keyboard. */
import { expect, test, type Page } from '@playwright/test';
import { tabTo } from './steps';

const colorScheme = (page: Page) => page.locator('html').getAttribute('data-mantine-color-scheme');

test('a model can be chosen, and is used', async ({ page, request }) => {
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
  await expect(page.getByRole('option')).toHaveCount(models.length); // a list that is still opening ignores keys
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

test('the language can be chosen from its menu, and is remembered', async ({ page }) => {
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

test('the colour scheme cycles through system, light and dark, and is remembered', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  const button = page.getByRole('button', { name: /^Colours/ });
  await tabTo(page, button);
  await expect(button).toHaveAccessibleName('Colours: system');
  expect(await colorScheme(page)).toBe('dark');
  for (const [key, chosen, scheme] of [['Enter', 'light', 'light'], ['Space', 'dark', 'dark']] as const) {
    await page.keyboard.press(key);
    await expect(button).toHaveAccessibleName(`Colours: ${chosen}`);
    await expect(button).toBeFocused();
    await expect.poll(() => colorScheme(page)).toBe(scheme);
    await page.emulateMedia({ colorScheme: scheme === 'dark' ? 'light' : 'dark' }); // the choice overrides the system
    await page.reload();
    await expect(button).toHaveAccessibleName(`Colours: ${chosen}`);
    expect(await colorScheme(page)).toBe(scheme);
    await tabTo(page, button);
  }
  await page.keyboard.press('Enter');
  await expect(button).toHaveAccessibleName('Colours: system');
  await expect.poll(() => colorScheme(page)).toBe('light');
});
