/** Table of failures: cause, error message and recovery. README.md lists them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { en, type Words } from '../src/lib/i18n/words/en';
import { es } from '../src/lib/i18n/words/es';
import { hi } from '../src/lib/i18n/words/hi';
import { sample, wav } from './steps';

interface ExplainedText {
  title: string;
  detail: string;
  todo: string;
}

interface Failure {
  what: string;
  /** How the test causes it, for the README. */
  how: string;
  explains: (words: Words) => ExplainedText;
  cause: (page: Page, words: Words) => Promise<unknown>;
  /** The button to press, and what is shown afterwards. */
  next: { press: (words: Words) => string; shows: (page: Page, words: Words) => Locator };
  /** Removes a lasting cause. */
  remedy?: (page: Page) => Promise<unknown>;
  /** Selector of the message; an alert by default. */
  selector?: string;
}

const emotion = (page: Page) => page.getByTestId('emotion');
const record = (page: Page, { recorder }: Words) => page.getByRole('button', { name: recorder.record });

/** Uploads from disk, because large buffers are slow to pass to the browser. */
async function upload(page: Page, content: Buffer, name = 'clip.wav') {
  const path = test.info().outputPath(name);
  writeFileSync(path, content);
  await page.getByTestId('file').setInputFiles(path);
}

/** The recording is kept, so that sending it again succeeds. */
const AGAIN: Failure['next'] = { press: ({ problem }) => problem.again, shows: emotion };
const OTHER: Failure['next'] = { press: ({ problem }) => problem.other, shows: record };
const CLOSE: Failure['next'] = { press: ({ recorder }) => recorder.close, shows: record };

/** Opens the page and uploads a file. */
const uploading = (make: () => Buffer, name?: string) => async (page: Page) => {
  await page.goto('/');
  await upload(page, make(), name);
};

/** Rejects the next recording with the server's problem document for this code, taken from its documentation. */
const rejecting = (code: string) => async (page: Page) => {
  const docs = await (await page.request.get('/docs')).text();
  const [, status, title, detail] = new RegExp(`id="${code}">.*<span>(\\d+)</span></dt>\\s*<dd>([^.]*)\\. (.*)</dd>`).exec(docs)!;
  const body = { type: `/docs#${code}`, title, status: Number(status), detail, code, request_id: '0123456789abcdef' };
  const document = { status: body.status, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: JSON.stringify(body) };
  await page.route('**/api/v1/analyse', (route) => route.fulfill(document), { times: 1 });
  await page.goto('/');
  await upload(page, readFileSync(sample('happy')));
};

/** Makes getUserMedia fail with an error of this name. */
const denying = (name: string) => async (page: Page, words: Words) => {
  await page.addInitScript((reason) => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', reason));
  }, name);
  await pressRecord(page, words);
};

async function pressRecord(page: Page, words: Words) {
  await page.goto('/');
  await record(page, words).click();
}

async function startLive(page: Page, { live }: Words) {
  await page.goto('/live');
  await page.getByRole('button', { name: live.start }).click();
}

/** Uploads a file that exceeds the server's limit, after giving the page a higher one. */
async function exceedServerLimit(page: Page) {
  const limits = { max_upload_bytes: 2 ** 30, max_audio_seconds: 1800, min_audio_seconds: 0.1, formats: ['wav'] };
  await page.route('**/api/v1/limits', (route) => route.fulfill({ json: limits }));
  await page.goto('/');
  await expect(page.locator('main').getByText(/1024 MiB/)).toBeVisible();
  await page.unroute('**/api/v1/limits'); // otherwise the 30 MiB would pass through the interception, too
  await upload(page, Buffer.alloc(30 * 2 ** 20));
}

async function loseMicrophone(page: Page, words: Words) {
  await page.context().grantPermissions(['microphone']);
  await page.addInitScript(() => {
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await original(constraints);
      Object.assign(window, { unplug: () => stream.getTracks()[0]!.dispatchEvent(new Event('ended')) });
      return stream;
    };
  });
  await pressRecord(page, words);
  await expect(page.getByRole('timer')).toHaveText('0:02');
  await page.evaluate(() => (window as unknown as { unplug: () => void }).unplug());
}

const FAILURES: Failure[] = [
  {
    what: 'The file is not a recording',
    how: 'text named .wav',
    explains: ({ problems }) => problems.audio_unsupported,
    cause: uploading(() => Buffer.from('these are only words'), 'notes.wav'),
    next: OTHER,
  },
  {
    what: 'The file is empty',
    how: 'a file of 0 bytes',
    explains: ({ problems }) => problems.audio_empty,
    cause: uploading(() => Buffer.alloc(0)),
    next: OTHER,
  },
  {
    what: 'The file is damaged',
    how: 'a WAV cut off within its header',
    explains: ({ problems }) => problems.audio_unreadable,
    cause: uploading(() => readFileSync(sample('sad')).subarray(0, 20)),
    next: OTHER,
  },
  {
    what: 'The recording is too short',
    how: '0.03 s',
    explains: ({ problems }) => problems.audio_too_short,
    cause: uploading(() => wav(Buffer.alloc(800))),
    next: OTHER,
  },
  {
    what: 'The recording is too long',
    how: '30 minutes and one second at 8 kHz, 8 bit',
    explains: ({ problems }) => problems.audio_too_long,
    cause: uploading(() => wav(Buffer.alloc(1801 * 8000, 0x80), { rate: 8000, bits: 8 })),
    next: OTHER,
  },
  {
    what: 'The file is too large',
    how: '30 MiB, refused by the page itself',
    explains: ({ problem, problems }) => ({ ...problems.body_too_large, detail: problem.tooLarge('30.0', '25.0') }),
    cause: async (page) => {
      const known = page.waitForResponse('**/api/v1/limits');
      await page.goto('/');
      await known;
      await expect(page.locator('main').getByText(/25 MiB/)).toBeVisible();
      await upload(page, Buffer.alloc(30 * 2 ** 20));
    },
    next: OTHER,
  },
  {
    what: 'Only the server knows that the file is too large',
    how: '30 MiB and a page with a higher limit',
    explains: ({ problems }) => problems.body_too_large,
    cause: exceedServerLimit,
    next: OTHER,
  },
  {
    what: 'The sampling rate is out of range',
    how: 'a WAV at 500 Hz',
    explains: ({ problems }) => problems.audio_sample_rate,
    cause: uploading(() => wav(Buffer.alloc(2000), { rate: 500 })),
    next: OTHER,
  },
  {
    what: 'The recording contains NaN',
    how: 'a WAV of NaN samples',
    explains: ({ problems }) => problems.audio_not_finite,
    cause: uploading(() => wav(Buffer.from(new Float32Array(16000).fill(Number.NaN).buffer), { bits: 32, format: 3 })),
    next: OTHER,
  },
  {
    what: 'There is no speech',
    how: '3 s of silence',
    explains: ({ result }) => ({ title: result.none, detail: result.noneSummary, todo: result.noneTodo }),
    cause: uploading(() => wav(Buffer.alloc(96000))),
    next: { press: ({ result }) => result.again, shows: record },
    selector: '[data-testid=result]',
  },
  {
    what: 'The server is unreachable',
    how: 'an aborted connection',
    explains: ({ problems }) => problems.network,
    cause: async (page) => {
      await page.route('**/api/v1/analyse', (route) => route.abort(), { times: 1 });
      await uploading(() => readFileSync(sample('happy')))(page);
    },
    next: AGAIN,
  },
  {
    what: 'The server is unreachable when a live session starts',
    how: 'an aborted connection',
    explains: ({ problems }) => problems.network,
    cause: async (page, words) => {
      await page.context().grantPermissions(['microphone']);
      await page.route('**/api/v1/live', (route) => route.abort(), { times: 1 });
      await startLive(page, words);
    },
    next: { press: ({ problem }) => problem.again, shows: (page) => page.getByRole('timer') },
  },
  {
    what: 'The server is unreachable when sessions are listed',
    how: 'an aborted connection',
    explains: ({ problems }) => problems.network,
    cause: async (page) => {
      await page.route('**/api/v1/sessions?**', (route) => route.abort());
      await page.goto('/sessions');
    },
    remedy: (page) => page.unroute('**/api/v1/sessions?**'),
    next: { press: ({ problem }) => problem.again, shows: (page, { sessions }) => page.locator('main').getByText(sessions.none) },
  },
  {
    what: 'A proxy answers instead of the server',
    how: 'a 502 without a problem document',
    explains: ({ problem, problems }) => ({ ...problems.server_answer, detail: problem.status(502) }),
    cause: async (page) => {
      await page.route('**/api/v1/analyse', (route) => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }), { times: 1 });
      await uploading(() => readFileSync(sample('happy')))(page);
    },
    next: AGAIN,
  },
  {
    what: 'The server is overloaded',
    how: 'its 503 response',
    explains: ({ problems }) => problems.too_busy,
    cause: rejecting('too_busy'),
    next: AGAIN,
  },
  {
    what: 'One client sends too many requests',
    how: 'its 429 response',
    explains: ({ problems }) => problems.rate_limited,
    cause: rejecting('rate_limited'),
    next: AGAIN,
  },
  {
    what: 'The model is still loading',
    how: 'its 503 response',
    explains: ({ problems }) => problems.not_ready,
    cause: rejecting('not_ready'),
    next: AGAIN,
  },
  {
    what: 'The results database is unavailable',
    how: 'its 503 response',
    explains: ({ problems }) => problems.store_unavailable,
    cause: rejecting('store_unavailable'),
    next: AGAIN,
  },
  {
    what: 'The server fails',
    how: 'its 500 response',
    explains: ({ problems }) => problems.internal_error,
    cause: rejecting('internal_error'),
    next: AGAIN,
  },
  {
    what: 'The model was removed',
    how: 'a page with another list of models',
    explains: ({ problems }) => problems.model_unknown,
    cause: async (page) => {
      await page.route('**/api/v1/models', async (route) => {
        const { models } = (await (await route.fetch()).json()) as { models: { name: string }[] };
        await route.fulfill({ json: { default: 'gone', models: [{ ...models[0], name: 'gone' }] } });
      });
      const known = page.waitForResponse('**/api/v1/models');
      await page.goto('/');
      await known;
      await expect(page.getByTestId('model')).not.toBeEmpty();
      await upload(page, readFileSync(sample('happy')));
    },
    next: OTHER,
  },
  {
    what: 'The session does not exist',
    how: 'the address of a session that never existed',
    explains: ({ problems }) => problems.session_unknown,
    cause: async (page) => {
      await page.goto('/');
      await upload(page, readFileSync(sample('sad'))); // so that the browser has an owner token
      await expect(emotion(page)).toBeVisible();
      await page.goto('/?session=0123456789abcdef');
    },
    next: OTHER,
  },
  {
    what: 'The microphone is denied',
    how: 'a browser without permission',
    explains: ({ refusals }) => refusals.refused,
    cause: pressRecord,
    next: CLOSE,
  },
  {
    what: 'The microphone is denied to a live session',
    how: 'a browser without permission',
    explains: ({ refusals }) => refusals.refused,
    cause: startLive,
    next: { press: ({ recorder }) => recorder.close, shows: (page, { live }) => page.getByRole('button', { name: live.start }) },
  },
  { what: 'There is no microphone', how: 'NotFoundError', explains: ({ refusals }) => refusals.none, cause: denying('NotFoundError'), next: CLOSE },
  { what: 'The microphone is in use', how: 'NotReadableError', explains: ({ refusals }) => refusals.busy, cause: denying('NotReadableError'), next: CLOSE },
  {
    what: 'The browser gives an unknown reason',
    how: 'AbortError',
    explains: ({ refusals }) => refusals.failed,
    cause: denying('AbortError'),
    next: CLOSE,
  },
  {
    what: 'The address is not secure',
    how: 'an insecure context',
    explains: ({ refusals }) => refusals.insecure,
    cause: async (page, words) => {
      await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
      await pressRecord(page, words);
    },
    next: CLOSE,
  },
  {
    what: 'The browser cannot record',
    how: 'a browser without AudioWorklet',
    explains: ({ refusals }) => refusals.unsupported,
    cause: async (page, words) => {
      await page.addInitScript(() => Reflect.deleteProperty(window, 'AudioWorkletNode'));
      await pressRecord(page, words);
    },
    next: CLOSE,
  },
  {
    what: 'The microphone is unplugged while recording',
    how: 'the media track ends',
    explains: ({ refusals }) => refusals.lost,
    cause: loseMicrophone,
    next: { press: ({ recorder }) => recorder.use, shows: emotion },
  },
  {
    what: 'A view stops working',
    how: 'one of its scripts cannot be loaded',
    explains: ({ crash }) => crash,
    cause: async (page, { views }) => {
      await page.route('**/assets/About*.js', (route) => route.abort());
      await page.goto('/');
      await page.getByRole('link', { name: views.about }).click();
    },
    remedy: (page) => page.unroute('**/assets/About*.js'),
    next: { press: ({ problem }) => problem.again, shows: (page) => page.getByRole('table') },
  },
];

/** Causes the failure, checks its message, and returns the element with it. */
async function expectMessage(page: Page, { explains, cause, selector = '[role=alert]' }: Failure, words: Words): Promise<Locator> {
  await cause(page, words);
  const message = page.locator(selector);
  const { title, detail, todo } = explains(words);
  for (const sentence of [title, detail, todo]) await expect(message.getByText(sentence, { exact: true })).toBeVisible();
  expect(await message.textContent()).not.toMatch(/Traceback|Error:|Exception|File "|\n\s+at /);
  return message;
}

for (const failure of FAILURES) {
  const { what, next, remedy } = failure;

  test(`${what}: the page explains it and recovers`, async ({ page }) => {
    const message = await expectMessage(page, failure, en);
    await remedy?.(page);
    const scope = failure.selector ? page : message;
    await scope.getByRole('button', { name: next.press(en) }).click();
    await expect(next.shows(page, en).first()).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

test('every failure is listed in the README', () => {
  const rows = FAILURES.map(({ what, explains, how }) => `| ${what} | ${explains(en).title} | ${how} |`);
  const table = ['| What goes wrong | What the page says | How the test brings it about |', '|---|---|---|', ...rows].join('\n');
  expect(readFileSync(new URL('../README.md', import.meta.url), 'utf-8')).toContain(`${table}\n`);
});

test('details from the server can be opened by keyboard', async ({ page }) => {
  await uploading(() => wav(Buffer.alloc(800)))(page);
  const more = page.locator('main').getByText('The recording is 0.03 s long; at least 0.1 s is needed.');
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(more).toBeHidden();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(more).toBeVisible();
});

test.describe('Hindi browser', () => {
  test.use({ locale: 'hi-IN' });

  for (const failure of FAILURES) {
    test(`${failure.what}: the message is in Hindi only`, async ({ page }) => {
      const message = await expectMessage(page, failure, hi);
      expect(english(await ownTexts(message))).toEqual([]);
    });
  }
});

for (const [language, locale, words, length] of [['Hindi', 'hi-IN', hi, '2.8 से'], ['Spanish', 'es-ES', es, '2,8 s']] as const) {
  test.describe(language, () => {
    test.use({ locale });

    test(`a warning and its units are in ${language}`, async ({ page }) => {
      const loud = Buffer.from(readFileSync(sample('angry')));
      for (let i = 44; i + 1 < loud.length; i += 2) loud.writeInt16LE(Math.max(-32768, Math.min(32767, 30 * loud.readInt16LE(i))), i);
      await uploading(() => loud)(page);
      await expect(page.getByTestId('warnings').getByText(words.warnings.overdriven)).toBeVisible();
      await expect(page.locator('[data-testid=result] [lang=en]')).toHaveCount(0);
      await expect(page.getByTestId('result-foot')).toContainText(length);
    });
  });
}

/** The page's own texts in an element, without the server's, which are marked as English. */
const ownTexts = (container: Locator) =>
  container.evaluate((element) => {
    const copy = element.cloneNode(true) as HTMLElement;
    copy.querySelectorAll('[lang=en]').forEach((one) => one.remove());
    return [...copy.querySelectorAll('h2, p, summary, button')].map(({ textContent }) => textContent ?? '');
  });

/** Sentences that contain common English words. */
function english(sentences: string[]): string[] {
  return sentences.filter((one) => /\b(the|is|are|it|this|to|recording|server)\b/i.test(one));
}
