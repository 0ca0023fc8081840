/** What can go wrong, as one table: how it comes about, what the page then says, and how it goes on. README.md lists it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { en, type Words } from '../src/lib/i18n/words/en';
import { es } from '../src/lib/i18n/words/es';
import { hi } from '../src/lib/i18n/words/hi';
import { sample, wav } from './steps';

interface Said {
  title: string;
  detail: string;
  todo: string;
}

interface Failure {
  what: string;
  /** How it is brought about here, for the README. */
  how: string;
  says: (words: Words) => Said;
  cause: (page: Page, words: Words) => Promise<unknown>;
  /** What is pressed then, and what that leads to. */
  next: { press: (words: Words) => string; shows: (page: Page, words: Words) => Locator };
  /** Ends the cause, where it does not end by itself. */
  remedy?: (page: Page) => Promise<unknown>;
  /** Where it is said. */
  place?: string;
}

const answer = (page: Page) => page.getByTestId('emotion');
const record = (page: Page, { recorder }: Words) => page.getByRole('button', { name: recorder.record });

/** By way of the disk, as what is large takes long from hand to hand. */
async function upload(page: Page, content: Buffer, name = 'clip.wav') {
  const path = test.info().outputPath(name);
  writeFileSync(path, content);
  await page.getByTestId('file').setInputFiles(path);
}

/** The recording was kept: the same is sent again, and answered. */
const AGAIN: Failure['next'] = { press: ({ problem }) => problem.again, shows: answer };
const OTHER: Failure['next'] = { press: ({ problem }) => problem.other, shows: record };
const CLOSE: Failure['next'] = { press: ({ recorder }) => recorder.close, shows: record };

/** Opens the page and gives it a file. */
const sent = (make: () => Buffer, name?: string) => async (page: Page) => {
  await page.goto('/');
  await upload(page, make(), name);
};

/** The next recording is refused with the document that the server has for this code: status and sentence are its own. */
const refused = (code: string) => async (page: Page) => {
  const docs = await (await page.request.get('/docs')).text();
  const [, status, title, detail] = new RegExp(`id="${code}">.*<span>(\\d+)</span></dt>\\s*<dd>([^.]*)\\. (.*)</dd>`).exec(docs)!;
  const body = { type: `/docs#${code}`, title, status: Number(status), detail, code, request_id: '0123456789abcdef' };
  const document = { status: body.status, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: JSON.stringify(body) };
  await page.route('**/api/v1/analyse', (route) => route.fulfill(document), { times: 1 });
  await page.goto('/');
  await upload(page, readFileSync(sample('happy')));
};

/** The browser refuses its microphone with an error of this name. */
const withheld = (name: string) => async (page: Page, words: Words) => {
  await page.addInitScript((reason) => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', reason));
  }, name);
  await pressRecord(page, words);
};

async function pressRecord(page: Page, words: Words) {
  await page.goto('/');
  await record(page, words).click();
}

async function listen(page: Page, { live }: Words) {
  await page.goto('/live');
  await page.getByRole('button', { name: live.start }).click();
}

/** A file that only the server knows to be too large: the page was told another limit. */
async function tooLargeUnknown(page: Page) {
  const limits = { max_upload_bytes: 2 ** 30, max_audio_seconds: 1800, min_audio_seconds: 0.1, formats: ['wav'] };
  await page.route('**/api/v1/limits', (route) => route.fulfill({ json: limits }));
  await page.goto('/');
  await expect(page.locator('main').getByText(/1024 MiB/)).toBeVisible();
  await page.unroute('**/api/v1/limits'); // or the 30 MB would go through the interception as well
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
    says: ({ problems }) => problems.audio_unsupported,
    cause: sent(() => Buffer.from('these are only words'), 'notes.wav'),
    next: OTHER,
  },
  {
    what: 'The file is empty',
    how: 'a file of 0 bytes',
    says: ({ problems }) => problems.audio_empty,
    cause: sent(() => Buffer.alloc(0)),
    next: OTHER,
  },
  {
    what: 'The file is damaged',
    how: 'a WAV cut off within its header',
    says: ({ problems }) => problems.audio_unreadable,
    cause: sent(() => readFileSync(sample('sad')).subarray(0, 20)),
    next: OTHER,
  },
  {
    what: 'The recording is too short',
    how: '0.03 s',
    says: ({ problems }) => problems.audio_too_short,
    cause: sent(() => wav(Buffer.alloc(800))),
    next: OTHER,
  },
  {
    what: 'The recording is too long',
    how: '30 minutes and one second at 8 kHz, 8 bit',
    says: ({ problems }) => problems.audio_too_long,
    cause: sent(() => wav(Buffer.alloc(1801 * 8000, 0x80), { rate: 8000, bits: 8 })),
    next: OTHER,
  },
  {
    what: 'The file is too large',
    how: '30 MiB, refused by the page itself',
    says: ({ problem, problems }) => ({ ...problems.body_too_large, detail: problem.tooLarge('30.0', '25.0') }),
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
    says: ({ problems }) => problems.body_too_large,
    cause: tooLargeUnknown,
    next: OTHER,
  },
  {
    what: 'The sampling rate is out of range',
    how: 'a WAV at 500 Hz',
    says: ({ problems }) => problems.audio_sample_rate,
    cause: sent(() => wav(Buffer.alloc(2000), { rate: 500 })),
    next: OTHER,
  },
  {
    what: 'The recording contains NaN',
    how: 'a WAV of NaN samples',
    says: ({ problems }) => problems.audio_not_finite,
    cause: sent(() => wav(Buffer.from(new Float32Array(16000).fill(Number.NaN).buffer), { bits: 32, format: 3 })),
    next: OTHER,
  },
  {
    what: 'There is no speech',
    how: '3 s of silence',
    says: ({ result }) => ({ title: result.none, detail: result.noneSummary, todo: result.noneTodo }),
    cause: sent(() => wav(Buffer.alloc(96000))),
    next: { press: ({ result }) => result.again, shows: record },
    place: '[data-testid=result]',
  },
  {
    what: 'The server is unreachable',
    how: 'an aborted connection',
    says: ({ problems }) => problems.network,
    cause: async (page) => {
      await page.route('**/api/v1/analyse', (route) => route.abort(), { times: 1 });
      await sent(() => readFileSync(sample('happy')))(page);
    },
    next: AGAIN,
  },
  {
    what: 'The server is unreachable when a live session starts',
    how: 'an aborted connection',
    says: ({ problems }) => problems.network,
    cause: async (page, words) => {
      await page.context().grantPermissions(['microphone']);
      await page.route('**/api/v1/live', (route) => route.abort(), { times: 1 });
      await listen(page, words);
    },
    next: { press: ({ problem }) => problem.again, shows: (page) => page.getByRole('timer') },
  },
  {
    what: 'The server is unreachable when sessions are listed',
    how: 'an aborted connection',
    says: ({ problems }) => problems.network,
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
    says: ({ problem, problems }) => ({ ...problems.server_answer, detail: problem.status(502) }),
    cause: async (page) => {
      await page.route('**/api/v1/analyse', (route) => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }), { times: 1 });
      await sent(() => readFileSync(sample('happy')))(page);
    },
    next: AGAIN,
  },
  {
    what: 'The server is overloaded',
    how: 'its 503 response',
    says: ({ problems }) => problems.too_busy,
    cause: refused('too_busy'),
    next: AGAIN,
  },
  {
    what: 'One client sends too many requests',
    how: 'its 429 response',
    says: ({ problems }) => problems.rate_limited,
    cause: refused('rate_limited'),
    next: AGAIN,
  },
  {
    what: 'The model is still loading',
    how: 'its 503 response',
    says: ({ problems }) => problems.not_ready,
    cause: refused('not_ready'),
    next: AGAIN,
  },
  {
    what: 'The results database is unavailable',
    how: 'its 503 response',
    says: ({ problems }) => problems.store_unavailable,
    cause: refused('store_unavailable'),
    next: AGAIN,
  },
  {
    what: 'The server fails',
    how: 'its 500 response',
    says: ({ problems }) => problems.internal_error,
    cause: refused('internal_error'),
    next: AGAIN,
  },
  {
    what: 'The model was removed',
    how: 'a page with another list of models',
    says: ({ problems }) => problems.model_unknown,
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
    says: ({ problems }) => problems.session_unknown,
    cause: async (page) => {
      await page.goto('/');
      await upload(page, readFileSync(sample('sad'))); // or the browser would not say who it is
      await expect(answer(page)).toBeVisible();
      await page.goto('/?session=0123456789abcdef');
    },
    next: OTHER,
  },
  {
    what: 'The microphone is denied',
    how: 'a browser without permission',
    says: ({ refusals }) => refusals.refused,
    cause: pressRecord,
    next: CLOSE,
  },
  {
    what: 'The microphone is denied to a live session',
    how: 'a browser without permission',
    says: ({ refusals }) => refusals.refused,
    cause: listen,
    next: { press: ({ recorder }) => recorder.close, shows: (page, { live }) => page.getByRole('button', { name: live.start }) },
  },
  { what: 'There is no microphone', how: 'NotFoundError', says: ({ refusals }) => refusals.none, cause: withheld('NotFoundError'), next: CLOSE },
  { what: 'The microphone is in use', how: 'NotReadableError', says: ({ refusals }) => refusals.busy, cause: withheld('NotReadableError'), next: CLOSE },
  {
    what: 'The browser gives an unknown reason',
    how: 'AbortError',
    says: ({ refusals }) => refusals.failed,
    cause: withheld('AbortError'),
    next: CLOSE,
  },
  {
    what: 'The address is not secure',
    how: 'an insecure context',
    says: ({ refusals }) => refusals.insecure,
    cause: async (page, words) => {
      await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
      await pressRecord(page, words);
    },
    next: CLOSE,
  },
  {
    what: 'The browser cannot record',
    how: 'a browser without AudioWorklet',
    says: ({ refusals }) => refusals.unsupported,
    cause: async (page, words) => {
      await page.addInitScript(() => Reflect.deleteProperty(window, 'AudioWorkletNode'));
      await pressRecord(page, words);
    },
    next: CLOSE,
  },
  {
    what: 'The microphone is unplugged while recording',
    how: 'the media track ends',
    says: ({ refusals }) => refusals.lost,
    cause: loseMicrophone,
    next: { press: ({ recorder }) => recorder.use, shows: answer },
  },
  {
    what: 'A view stops working',
    how: 'one of its scripts cannot be loaded',
    says: ({ crash }) => crash,
    cause: async (page, { views }) => {
      await page.route('**/assets/About*.js', (route) => route.abort());
      await page.goto('/');
      await page.getByRole('link', { name: views.about }).click();
    },
    remedy: (page) => page.unroute('**/assets/About*.js'),
    next: { press: ({ problem }) => problem.again, shows: (page) => page.getByRole('table') },
  },
];

/** Waits for what is said, and returns where. */
async function told(page: Page, { says, cause, place = '[role=alert]' }: Failure, words: Words): Promise<Locator> {
  await cause(page, words);
  const said = page.locator(place);
  const { title, detail, todo } = says(words);
  for (const sentence of [title, detail, todo]) await expect(said.getByText(sentence, { exact: true })).toBeVisible();
  expect(await said.textContent()).not.toMatch(/Traceback|Error:|Exception|File "|\n\s+at /);
  return said;
}

for (const failure of FAILURES) {
  const { what, next, remedy } = failure;

  test(`${what}: what, why and what to do are said, and the page goes on`, async ({ page }) => {
    const said = await told(page, failure, en);
    await remedy?.(page);
    const place = failure.place ? page : said;
    await place.getByRole('button', { name: next.press(en) }).click();
    await expect(next.shows(page, en).first()).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

test('every failure is listed in the README', () => {
  const rows = FAILURES.map(({ what, says, how }) => `| ${what} | ${says(en).title} | ${how} |`);
  const table = ['| What goes wrong | What the page says | How the test brings it about |', '|---|---|---|', ...rows].join('\n');
  expect(readFileSync(new URL('../README.md', import.meta.url), 'utf-8')).toContain(`${table}\n`);
});

test('what the server knows beyond the page is one key away', async ({ page }) => {
  await sent(() => wav(Buffer.alloc(800)))(page);
  const more = page.locator('main').getByText('The recording is 0.03 s long; at least 0.1 s is needed.');
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(more).toBeHidden();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(more).toBeVisible();
});

test.describe('a Hindi browser', () => {
  test.use({ locale: 'hi-IN' });

  for (const failure of FAILURES) {
    test(`${failure.what}: it is said in Hindi, and nothing of it in English`, async ({ page }) => {
      const said = await told(page, failure, hi);
      expect(english(await own(said))).toEqual([]);
    });
  }
});

for (const [language, locale, words, length] of [['Hindi', 'hi-IN', hi, '2.8 से'], ['Spanish', 'es-ES', es, '2,8 s']] as const) {
  test.describe(language, () => {
    test.use({ locale });

    test(`a warning and its units are in ${language}`, async ({ page }) => {
      const loud = Buffer.from(readFileSync(sample('angry')));
      for (let i = 44; i + 1 < loud.length; i += 2) loud.writeInt16LE(Math.max(-32768, Math.min(32767, 30 * loud.readInt16LE(i))), i);
      await sent(() => loud)(page);
      await expect(page.getByTestId('warnings').getByText(words.warnings.overdriven)).toBeVisible();
      await expect(page.locator('[data-testid=result] [lang=en]')).toHaveCount(0);
      await expect(page.getByTestId('result-foot')).toContainText(length);
    });
  });
}

/** What a place says itself; what is marked as English is the server's. */
const own = (place: Locator) =>
  place.evaluate((element) => {
    const copy = element.cloneNode(true) as HTMLElement;
    copy.querySelectorAll('[lang=en]').forEach((one) => one.remove());
    return [...copy.querySelectorAll('h2, p, summary, button')].map(({ textContent }) => textContent ?? '');
  });

/** Those with words that an English sentence can hardly do without. */
function english(sentences: string[]): string[] {
  return sentences.filter((one) => /\b(the|is|are|it|this|to|recording|server)\b/i.test(one));
}
