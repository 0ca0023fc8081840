/** Live sessions. The fake microphone plays public/samples/angry.wav once, then silence; each getUserMedia call restarts it. */
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { firstModel } from './models';
import { sample, watch } from './steps';

const BLOCK_SAMPLES = 2048; // per message of the worklet

const now = (page: Page) => page.getByTestId('live-emotion');

/** State of the session on the server. */
async function received(page: Page, id: string): Promise<{ received: [number, number][]; state: string }> {
  const token = await page.evaluate(() => localStorage.getItem('owner'));
  const answer = await page.request.get(`/api/v1/live/${id}`, { headers: { Authorization: `Bearer ${token}` } });
  return answer.json();
}

interface AcceleratedWindow extends Window {
  feed: (seconds: number) => void;
}

/** Replaces the microphone signal with silence that a test can feed faster than real time. */
function accelerateAudio() {
  const rate = 8000;
  Object.defineProperty(BaseAudioContext.prototype, 'sampleRate', { get: () => rate });
  AudioNode.prototype.connect = (() => undefined) as never; // disconnects the microphone's own signal
  window.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(context: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
      super(context, name, options);
      const second = { samples: new Float32Array(rate), last: false };
      const feed = (seconds: number) => {
        for (let fed = 0; fed < seconds; fed += 1) this.port.onmessage?.(new MessageEvent('message', { data: second }));
      };
      Object.assign(window, { feed });
    }
  };
}

interface ObservedWindow extends Window {
  tracks: MediaStreamTrack[];
  announcements: string[];
  times: { pressed: number; shown: number; updates: number[] };
}

/** Exposes every microphone track that the page opens. */
function exposeTracks() {
  const tracks: MediaStreamTrack[] = [];
  Object.assign(window, { tracks });
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    tracks.push(...stream.getTracks());
    return stream;
  };
}

const trackStates = (page: Page) => page.evaluate(() => (window as unknown as ObservedWindow).tracks.map(({ readyState }) => readyState));

/** Collects the announcements to screen readers. */
function collectAnnouncements() {
  const announcements: string[] = [];
  Object.assign(window, { announcements });
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if ((target as Element).ariaLive === 'polite') addedNodes.forEach(({ textContent }) => announcements.push(textContent ?? ''));
    }
  }).observe(document, { childList: true, subtree: true });
}

/** Notes the time of the first click, of the first result, and the latency from audio to screen of each result. */
function collectTimes() {
  const times = { pressed: 0, shown: 0, updates: [] as number[] };
  Object.assign(window, { times });
  document.addEventListener('click', () => (times.pressed = performance.now()), { capture: true, once: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntriesByName('live-update')) {
      times.shown ||= startTime + duration;
      times.updates.push(duration);
    }
  }).observe({ type: 'measure' });
}

const announcements = (page: Page) => page.evaluate(() => (window as unknown as ObservedWindow).announcements);

/** A fake result, with another emotion every seven seconds. */
function resultFor(sequence: number, start: number) {
  const [emotion, other] = Math.floor(sequence / 7) % 2 ? ['angry', 'sad'] : ['sad', 'angry'];
  const probabilities = { [emotion]: 0.8, [other]: 0.2 };
  return { sequence, start, end: start + 3, state: 'emotion', emotion, confidence: 80, probabilities, candidates: [], speech: '1'.repeat(94) };
}

/** Memory and DOM nodes of the page, and the time it takes to process and draw one more second. */
async function footprint(page: Page) {
  const milliseconds = await page.evaluate(async () => {
    const began = performance.now();
    (window as unknown as AcceleratedWindow).feed(1);
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return Math.round(performance.now() - began);
  });
  const browser = await page.context().newCDPSession(page);
  let bytes = Infinity;
  for (let look = 0; look < 3; look += 1) { // several collections, because some garbage is released late
    await page.waitForTimeout(500);
    await browser.send('HeapProfiler.collectGarbage');
    bytes = Math.min(bytes, ((await browser.send('Runtime.getHeapUsage')) as { usedSize: number }).usedSize);
  }
  const { nodes } = await browser.send('Memory.getDOMCounters');
  await browser.detach();
  return { milliseconds, nodes, megabytes: Math.round(bytes / 1e5) / 10 };
}

/** Statistics without the length, which differs slightly until the session ends. */
const figures = async (page: Page) => (await page.getByTestId('statistics').locator('dl > div, li').allTextContents()).slice(1);

async function start(page: Page): Promise<string> {
  await page.goto('/live');
  const begun = page.waitForResponse('**/api/v1/live');
  await page.getByRole('button', { name: 'Start listening' }).click();
  return ((await (await begun).json()) as { id: string }).id;
}

test.describe('with a microphone', () => {
  test.use({ permissions: ['microphone'] });

  test('shows the emotion during speech and no speech in silence, and opens the ended session in Analyse', async ({ page }) => {
    const { consoleErrors, externalRequests } = watch(page);
    await page.addInitScript(collectAnnouncements);
    const id = await start(page);
    await expect(now(page)).toHaveAttribute('data-emotion', 'angry', { timeout: 10_000 });
    await page.getByRole('button', { name: 'Mark this moment' }).click();
    await expect(now(page)).toHaveText('No speech', { timeout: 15_000 });
    const spoken = await announcements(page);
    expect(spoken.indexOf('Angry')).toBeGreaterThanOrEqual(0);
    expect([spoken.includes('Mark 1'), spoken.at(-1)]).toEqual([true, 'No speech']);
    expect(spoken.filter((text, i) => text === spoken[i - 1] || /\d%/.test(text))).toEqual([]); // only changes are announced, without figures
    let before: string[] = [];
    await page.route('**/api/v1/live/*/end', async (route) => {
      before = await figures(page); // all results have arrived
      await route.continue();
    });
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    expect(new URL(page.url()).search).toBe(`?session=${id}`);
    await expect(page.locator('main').getByText('The recording itself was not stored')).toBeVisible();
    await expect(page.getByTestId('segment').first()).toBeVisible();
    await expect(page.getByTestId('mark')).toHaveCount(1);
    await expect(page.getByRole('region', { name: 'Session statistics' })).toBeVisible();
    expect(before).toContainEqual(expect.stringMatching(/^Speech\d+%$/));
    expect(await figures(page)).toEqual(before);
    const state = await received(page, id);
    expect(state.state).toBe('ended');
    expect(state.received).toHaveLength(1);
    expect(consoleErrors).toEqual([]);
    expect(externalRequests).toEqual([]);
  });

  test('adapts to its speaker as it goes, and says from how much speech', async ({ page, request }) => {
    expect((await firstModel(request)).profiles).toBe(true);
    await start(page);
    const adapted = page.locator('main').getByText(/^Adapted to this speaker from .* s of speech$/);
    const seconds = async () => Number.parseFloat(/[\d.]+/.exec((await adapted.textContent())!)![0]);
    await expect(adapted).toBeVisible();
    const first = await seconds();
    await expect.poll(seconds).toBeGreaterThan(first);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    expect(await seconds()).toBeGreaterThan(first); // the stored result
  });

  test('shows the first answer within 4 s, and each one within half a second of its audio', async ({ page, request }) => {
    await request.post('/upload', {
      multipart: { file: { name: 'sad.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('sad')) }, model: (await firstModel(request)).name },
    }); // loads the model first
    await page.addInitScript(collectTimes);
    await start(page);
    const times = () => page.evaluate(() => (window as unknown as ObservedWindow).times);
    await expect.poll(async () => (await times()).updates.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(10);
    const { pressed, shown, updates } = await times();
    const median = updates.toSorted((one, other) => one - other)[Math.floor(updates.length / 2)]!;
    const block = (1000 * BLOCK_SAMPLES) / 44_100; // the longest time that a window's last sample waits for its block
    test.info().annotations.push({ type: 'ms', description: JSON.stringify({ first: shown - pressed, median, updates }) });
    expect(shown - pressed).toBeLessThan(4000);
    expect(median + block).toBeLessThan(500);
  });

  test('an outage during 30 s of audio neither loses nor duplicates a window', async ({ page }) => {
    await page.addInitScript(collectAnnouncements);
    await page.addInitScript(accelerateAudio);
    const id = await start(page);
    const answered: number[] = [];
    page.on('response', (answer) => {
      const chunk = /chunks\/(\d+)/.exec(answer.url())?.[1];
      if (chunk && answer.ok()) answered.push(Number(chunk));
    });
    await expect(page.getByRole('timer')).toBeVisible();
    const feed = (seconds: number) => page.evaluate((length) => (window as unknown as AcceleratedWindow).feed(length), seconds);
    await expect.poll(async () => (await feed(1), await page.getByRole('timer').textContent())).toBe('0:05');
    await expect.poll(() => answered.length).toBe(4);
    await page.route('**/chunks/**', (route) => route.abort());
    await feed(30);
    const backlog = page.locator('main').getByText(/30 windows are kept in this tab .* nothing is lost/);
    await expect(backlog).toBeVisible();
    await page.unroute('**/chunks/**');
    await expect(backlog).toHaveCount(0);
    await feed(5);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    const count = 40 - 1; // the first window takes two seconds
    expect(answered.toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect((await received(page, id)).received).toEqual([[0, count - 1]]);
    const spoken = (await announcements(page)).filter((text) => /server/.test(text));
    expect(spoken).toEqual([expect.stringContaining('The server is not responding'), 'The server is responding again.']);
  });

  test('records nothing while paused, and the kept audio can be played afterwards', async ({ page }) => {
    await page.goto('/live');
    await page.getByRole('switch', { name: /Keep the audio/ }).check({ force: true });
    await page.getByRole('button', { name: 'Start listening' }).click();
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.getByRole('button', { name: 'Pause' }).click();
    const time = await page.getByRole('timer').textContent();
    await page.waitForTimeout(2500);
    await expect(page.getByRole('timer')).toHaveText(time!);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByRole('timer')).not.toHaveText(time!);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByRole('button', { name: 'Play the recording' })).toBeEnabled();
  });

  test('neither memory use nor drawing time grows over half an hour of audio', async ({ page }) => {
    test.setTimeout(240_000);
    await page.addInitScript(accelerateAudio);
    let answered = 0;
    await page.route('**/chunks/**', async (route) => {
      const { pathname, searchParams } = new URL(route.request().url());
      await route.fulfill({ json: resultFor(Number(pathname.split('/').at(-1)), Number(searchParams.get('start'))) });
      answered += 1;
    });
    await start(page);
    await expect(page.getByRole('timer')).toBeVisible();
    let fed = 0;
    const feed = async (minutes: number) => {
      for (const end = fed + minutes; fed < end; ) {
        await page.evaluate(() => (window as unknown as AcceleratedWindow).feed(60));
        fed += 1;
        await expect.poll(() => answered, { intervals: [100], timeout: 60_000 }).toBeGreaterThanOrEqual(60 * fed - 5);
      }
    };
    await feed(5);
    const early = await footprint(page);
    await feed(25);
    const half = await footprint(page);
    await feed(2);
    const late = await footprint(page);
    test.info().annotations.push({ type: 'after 5, 30, 32 minutes', description: JSON.stringify([early, half, late]) });
    expect(late.nodes).toBeLessThan(1.2 * early.nodes); // the axis may have a few more ticks
    expect(half.megabytes).toBeLessThan(early.megabytes + 8); // half an hour of results
    expect(late.megabytes).toBeLessThan(half.megabytes + 1); // older results are released
    expect(late.milliseconds).toBeLessThan(300);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByRole('timer')).toHaveText(/^32:/);
  });

  test('leaving the view releases the microphone and ends the session', async ({ page }) => {
    await page.addInitScript(exposeTracks);
    const id = await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.getByRole('link', { name: 'About' }).click();
    await expect.poll(() => trackStates(page)).toEqual(['ended']);
    await expect.poll(async () => (await received(page, id)).state).toBe('ended');
  });

  test('an unplugged microphone is explained, and the session resumes with another one', async ({ page }) => {
    await page.addInitScript(exposeTracks);
    const id = await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.evaluate(() => (window as unknown as ObservedWindow).tracks[0]!.dispatchEvent(new Event('ended')));
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('The microphone was disconnected');
    await expect(alert).toBeFocused();
    const time = await page.getByRole('timer').textContent();
    await alert.getByRole('button', { name: 'Try again' }).click();
    await expect(alert).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Pause' })).toBeFocused();
    await expect(page.getByRole('timer')).not.toHaveText(time!);
    expect(await trackStates(page)).toEqual(['ended', 'live']);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    expect((await received(page, id)).received).toHaveLength(1);
  });

  test('the session can be resumed after ending it failed', async ({ page }) => {
    await page.addInitScript(exposeTracks);
    await page.route('**/api/v1/live/*/end', (route) => route.abort(), { times: 1 });
    await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByRole('alert')).toContainText('The server cannot be reached');
    const time = await page.getByRole('timer').textContent();
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(page.getByRole('timer')).not.toHaveText(time!);
    expect(await trackStates(page)).toEqual(['ended', 'live']);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
  });

  test('a session deleted elsewhere stops recording and says so', async ({ page }) => {
    await page.addInitScript(exposeTracks);
    const id = await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    const token = await page.evaluate(() => localStorage.getItem('owner'));
    await page.request.delete(`/api/v1/sessions/${id}`, { headers: { Authorization: `Bearer ${token}` } });
    await expect(page.getByRole('alert')).toContainText('The session was deleted');
    expect(await trackStates(page)).toEqual(['ended']);
    await expect(page.getByRole('region', { name: 'The last 30 minutes' })).toBeVisible();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByRole('button', { name: 'Start listening' })).toBeFocused();
  });

  test('everything works by keyboard, without losing the focus', async ({ page }) => {
    await page.route('**/api/v1/live/*/end', async (route) => {
      await page.waitForTimeout(1000); // time to check the focus meanwhile
      await route.continue();
    });
    await page.goto('/live');
    const button = (name: string) => page.getByRole('button', { name });
    for (let i = 0; i < 30 && !(await button('Start listening').evaluate((one) => one === document.activeElement)); i += 1) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await expect(button('Pause')).toBeFocused();
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await expect(button('Pause')).toBeFocused();
    await page.keyboard.press('Space');
    await expect(button('Resume')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(button('Mark this moment')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(button('Marks as a table')).toBeVisible();
    await expect(button('Mark this moment')).toBeFocused();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await expect(button('Pause')).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(button('End')).toHaveAttribute('aria-disabled', 'true');
    await expect(button('End')).toBeFocused();
    await expect(page.getByTestId('emotion')).toBeFocused();
  });
});
