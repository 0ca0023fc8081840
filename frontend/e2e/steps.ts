/** What several specs do. */
import { expect, test, type Locator, type Page } from '@playwright/test';

export const sample = (name: string) => new URL(`../public/samples/${name}.wav`, import.meta.url).pathname;

/** Every message of the console and every foreign address; a page that keeps its promises has neither. */
export function watch(page: Page) {
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(test.info().project.use.baseURL!).host) foreign.push(request.url());
  });
  return { complaints, foreign };
}

export async function upload(page: Page, file: string | { name: string; mimeType: string; buffer: Buffer }) {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a file' }).click();
  await (await chooser).setFiles(file);
}

/** Goes to a control as a keyboard does: with Tab, from where the focus is. */
export async function tabTo(page: Page, control: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab') {
  await expect(control).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  await expect(control).toBeFocused({ timeout: 1 });
}
