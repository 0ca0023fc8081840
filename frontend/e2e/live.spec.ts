/** The fake microphone plays public/samples/angry.wav once, then silence; each getUserMedia begins it anew. */
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { firstModel } from './models';
import { sample, watch } from './steps';

const BLOCK_SAMPLES = 2048; // that the worklet hands over at once

const now = (page: Page) => page.getByTestId('live-emotion');

/** What the server has of the session that the page began. */
async function received(page: Page, id: string): Promise<{ received: [number, number][]; state: string }> {
  const token = await page.evaluate(() => localStorage.getItem('owner'));
  const answer = await page.request.get(`/api/v1/live/${id}`, { headers: { Authorization: `Bearer ${token}` } });
  return answer.json();
}

interface Hastened extends Window {
  hear: (seconds: number) => void;
}

/** Lets the page hear silence as fast as it is asked to, instead of what a microphone hears second by second. */
function hasten() {
  const rate = 8000;
  Object.defineProperty(BaseAudioContext.prototype, 'sampleRate', { get: () => rate });
  AudioNode.prototype.connect = (() => undefined) as never; // the microphone's own sound would come on top
  window.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(context: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
      super(context, name, options);
      const second = { samples: new Float32Array(rate), last: false };
      const hear = (seconds: number) => {
        for (let heard = 0; heard < seconds; heard += 1) this.port.onmessage?.(new MessageEvent('message', { data: second }));
      };
      Object.assign(window, { hear });
    }
  };
}

interface Watched extends Window {
  tracks: MediaStreamTrack[];
  said: string[];
  times: { pressed: number; shown: number; updates: number[] };
}

/** Keeps every microphone that the page opens where a test can reach it. */
function holdTracks() {
  const tracks: MediaStreamTrack[] = [];
  Object.assign(window, { tracks });
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    tracks.push(...stream.getTracks());
    return stream;
  };
}

const trackStates = (page: Page) => page.evaluate(() => (window as unknown as Watched).tracks.map(({ readyState }) => readyState));

/** Writes down what a screen reader is told. */
function holdSpeech() {
  const said: string[] = [];
  Object.assign(window, { said });
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if ((target as Element).ariaLive === 'polite') addedNodes.forEach(({ textContent }) => said.push(textContent ?? ''));
    }
  }).observe(document, { childList: true, subtree: true });
}

/** Notes when the page was told to listen, and each time that it shows an answer how long its sound took to get there. */
function holdTimes() {
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

const said = (page: Page) => page.evaluate(() => (window as unknown as Watched).said);

/** A stand-in's answer: another emotion every seven seconds. */
function answerTo(sequence: number, start: number) {
  const [emotion, other] = Math.floor(sequence / 7) % 2 ? ['angry', 'sad'] : ['sad', 'angry'];
  const probabilities = { [emotion]: 0.8, [other]: 0.2 };
  return { sequence, start, end: start + 3, state: 'emotion', emotion, confidence: 80, probabilities, candidates: [], speech: '1'.repeat(94) };
}

/** What the page holds, and how long it takes to hear and draw one more second. */
async function held(page: Page) {
  const milliseconds = await page.evaluate(async () => {
    const began = performance.now();
    (window as unknown as Hastened).hear(1);
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return Math.round(performance.now() - began);
  });
  const browser = await page.context().newCDPSession(page);
  let bytes = Infinity;
  for (let look = 0; look < 3; look += 1) { // what is still being thrown away is not held
    await page.waitForTimeout(500);
    await browser.send('HeapProfiler.collectGarbage');
    bytes = Math.min(bytes, ((await browser.send('Runtime.getHeapUsage')) as { usedSize: number }).usedSize);
  }
  const { nodes } = await browser.send('Memory.getDOMCounters');
  await browser.detach();
  return { milliseconds, nodes, megabytes: Math.round(bytes / 1e5) / 10 };
}

/** The session in numbers, but for its length, of which the page knows some more until it ends. */
const figures = async (page: Page) => (await page.locator('.statistics').locator('dl > div, li').allTextContents()).slice(1);

async function start(page: Page): Promise<string> {
  await page.goto('/live');
  const begun = page.waitForResponse('**/api/v1/live');
  await page.getByRole('button', { name: 'Start listening' }).click();
  return ((await (await begun).json()) as { id: string }).id;
}

test.describe('allowed', () => {
  test.use({ permissions: ['microphone'] });

  test('a voice is named while it speaks, silence is no speech, and the end opens in Analyse', async ({ page }) => {
    const { complaints, foreign } = watch(page);
    await page.addInitScript(holdSpeech);
    const id = await start(page);
    await expect(now(page)).toHaveAttribute('data-emotion', 'angry', { timeout: 10_000 });
    await page.getByRole('button', { name: 'Mark this moment' }).click();
    await expect(now(page)).toHaveText('No speech', { timeout: 15_000 });
    const told = await said(page);
    expect(told.indexOf('Angry')).toBeGreaterThanOrEqual(0);
    expect([told.includes('Mark 1'), told.at(-1)]).toEqual([true, 'No speech']);
    expect(told.filter((text, i) => text === told[i - 1] || /\d%/.test(text))).toEqual([]); // changes, not every figure
    let before: string[] = [];
    await page.route('**/api/v1/live/*/end', async (route) => {
      before = await figures(page); // every answer is there
      await route.continue();
    });
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    expect(new URL(page.url()).search).toBe(`?session=${id}`);
    await expect(page.locator('main').getByText('The recording itself was not stored')).toBeVisible();
    await expect(page.locator('.segment').first()).toBeVisible();
    await expect(page.locator('.mark')).toHaveCount(1);
    await expect(page.getByRole('region', { name: 'Session statistics' })).toBeVisible();
    expect(before).toContainEqual(expect.stringMatching(/^Speech\d+%$/));
    expect(await figures(page)).toEqual(before);
    const state = await received(page, id);
    expect(state.state).toBe('ended');
    expect(state.received).toHaveLength(1);
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
  });

  test('the first answer is there within 4 s, and each within half a second of its sound', async ({ page, request }) => {
    await request.post('/upload', {
      multipart: { file: { name: 'sad.wav', mimeType: 'audio/wav', buffer: readFileSync(sample('sad')) }, model: (await firstModel(request)).name },
    }); // so that the model is loaded, as it is for whoever comes second
    await page.addInitScript(holdTimes);
    await start(page);
    const times = () => page.evaluate(() => (window as unknown as Watched).times);
    await expect.poll(async () => (await times()).updates.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(10);
    const { pressed, shown, updates } = await times();
    const median = updates.toSorted((one, other) => one - other)[Math.floor(updates.length / 2)]!;
    const block = (1000 * BLOCK_SAMPLES) / 44_100; // the window's last sample may have waited so long for the rest of its block
    test.info().annotations.push({ type: 'ms', description: JSON.stringify({ first: shown - pressed, median, updates }) });
    expect(shown - pressed).toBeLessThan(4000);
    expect(median + block).toBeLessThan(500);
  });

  test('an outage of 30 s of sound loses no window and doubles none', async ({ page }) => {
    await page.addInitScript(holdSpeech);
    await page.addInitScript(hasten);
    const id = await start(page);
    const answered: number[] = [];
    page.on('response', (answer) => {
      const chunk = /chunks\/(\d+)/.exec(answer.url())?.[1];
      if (chunk && answer.ok()) answered.push(Number(chunk));
    });
    await expect(page.getByRole('timer')).toBeVisible();
    const hear = (seconds: number) => page.evaluate((length) => (window as unknown as Hastened).hear(length), seconds);
    await expect.poll(async () => (await hear(1), await page.getByRole('timer').textContent())).toBe('0:05');
    await expect.poll(() => answered.length).toBe(4);
    await page.route('**/chunks/**', (route) => route.abort());
    await hear(30);
    const kept = page.locator('main').getByText(/30 windows are kept in this tab .* nothing is lost/);
    await expect(kept).toBeVisible();
    await page.unroute('**/chunks/**');
    await expect(kept).toHaveCount(0);
    await hear(5);
    await page.getByRole('button', { name: 'End' }).click();
    await expect(page.getByTestId('emotion')).toBeVisible();
    const count = 40 - 1; // the first window takes two seconds
    expect(answered.toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect((await received(page, id)).received).toEqual([[0, count - 1]]);
    const told = (await said(page)).filter((text) => /server/.test(text));
    expect(told).toEqual([expect.stringContaining('The server is not responding'), 'The server is responding again.']);
  });

  test('a pause hears nothing, and the kept sound can be played afterwards', async ({ page }) => {
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

  test('half an hour, as fast as it can be heard, makes the page neither larger nor slower', async ({ page }) => {
    test.setTimeout(240_000);
    await page.addInitScript(hasten);
    let answered = 0;
    await page.route('**/chunks/**', async (route) => {
      const { pathname, searchParams } = new URL(route.request().url());
      await route.fulfill({ json: answerTo(Number(pathname.split('/').at(-1)), Number(searchParams.get('start'))) });
      answered += 1;
    });
    await start(page);
    await expect(page.getByRole('timer')).toBeVisible();
    let heard = 0;
    const hear = async (minutes: number) => {
      for (const end = heard + minutes; heard < end; ) {
        await page.evaluate(() => (window as unknown as Hastened).hear(60));
        heard += 1;
        await expect.poll(() => answered, { intervals: [100], timeout: 60_000 }).toBeGreaterThanOrEqual(60 * heard - 5);
      }
    };
    await hear(5);
    const early = await held(page);
    await hear(25);
    const half = await held(page);
    await hear(2);
    const late = await held(page);
    test.info().annotations.push({ type: 'after 5, 30, 32 minutes', description: JSON.stringify([early, half, late]) });
    expect(late.nodes).toBeLessThan(1.2 * early.nodes); // the axis may have another tick or two
    expect(half.megabytes).toBeLessThan(early.megabytes + 8); // what half an hour of answers takes
    expect(late.megabytes).toBeLessThan(half.megabytes + 1); // older ones are let go of
    expect(late.milliseconds).toBeLessThan(300);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByRole('timer')).toHaveText(/^32:/);
  });

  test('leaving the view gives the microphone back and ends the session', async ({ page }) => {
    await page.addInitScript(holdTracks);
    const id = await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.getByRole('link', { name: 'About' }).click();
    await expect.poll(() => trackStates(page)).toEqual(['ended']);
    await expect.poll(async () => (await received(page, id)).state).toBe('ended');
  });

  test('a microphone that is unplugged is explained, and another one goes on', async ({ page }) => {
    await page.addInitScript(holdTracks);
    const id = await start(page);
    await expect(now(page)).not.toHaveAttribute('data-state', '', { timeout: 10_000 });
    await page.evaluate(() => (window as unknown as Watched).tracks[0]!.dispatchEvent(new Event('ended')));
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

  test('when the end fails one can go on, and is heard', async ({ page }) => {
    await page.addInitScript(holdTracks);
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

  test('a session that is deleted elsewhere stops listening and says so', async ({ page }) => {
    await page.addInitScript(holdTracks);
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

  test('everything works by keyboard, and the focus is never lost', async ({ page }) => {
    await page.route('**/api/v1/live/*/end', async (route) => {
      await page.waitForTimeout(1000); // so that what is focused meanwhile can be seen
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
