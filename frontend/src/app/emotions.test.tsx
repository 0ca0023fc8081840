import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renderPage } from '../../tests/render';
import { analysisOf, happy, server } from '../../tests/server';
import { batchState } from '../features/batch/batchState';
import { App } from './App';

vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => () => {}, loadBlob: () => Promise.reject(new Error()), destroy: () => {} }) },
}));

/** The emotions of each request, null where none were chosen. */
let sent: (string | null)[] = [];

const field = (form: string) => /name="emotions"\s+(\S.*)/.exec(form)?.[1]?.trim() ?? null;

beforeEach(() => {
  sent = [];
  server.use(
    http.post('/api/v1/analyse', async ({ request }) => {
      const emotions = field(await request.text());
      sent.push(emotions);
      return HttpResponse.json(analysisOf({ ...happy, emotions: (emotions?.split(',') ?? []) as typeof happy.emotions }));
    }),
    http.post('/upload', async ({ request }) => {
      sent.push(field(await request.text()));
      return HttpResponse.json(happy);
    }),
  );
});

afterEach(() => {
  batchState.queue.clear();
  window.history.replaceState(null, '', '/');
});

const clip = () => new File([new Uint8Array(100)], 'clip.wav', { type: 'audio/wav' });
const picker = () => screen.findByRole('combobox', { name: 'Emotions' });

async function open(path = '/') {
  window.history.replaceState(null, '', path);
  renderPage(<App />);
  return userEvent.setup({ applyAccept: false });
}

async function choose(user: ReturnType<typeof userEvent.setup>, ...names: string[]) {
  await user.click(await picker());
  for (const name of names) await user.click(await screen.findByRole('option', { name }));
  await user.keyboard('{Escape}');
}

test('the chosen emotions are sent, named in the result and kept for the next recording', async () => {
  const user = await open();
  await choose(user, 'Sad', 'Happy');
  await user.upload(screen.getByTestId('file'), clip());
  expect(await screen.findByText('Among: happy, sad')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await user.upload(await screen.findByTestId('file'), clip());
  await waitFor(() => expect(sent).toEqual(['happy,sad', 'happy,sad']));
});

test('emotions are chosen and removed with the keyboard', async () => {
  const user = await open();
  (await picker()).focus();
  await user.keyboard('{ArrowDown}{ArrowDown}{Enter}{ArrowDown}{Enter}{Escape}');
  await user.upload(screen.getByTestId('file'), clip());
  await screen.findByText(/^Among: \w+, \w+$/);
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  (await picker()).focus();
  await user.keyboard('{Backspace}');
  expect(await screen.findByText(/^Choose at least two emotions/)).toBeVisible();
  await user.keyboard('{Backspace}');
  await user.upload(await screen.findByTestId('file'), clip());
  await waitFor(() => expect(sent).toEqual([expect.stringContaining(','), null]));
});

test('without a choice, and with every emotion chosen, none are sent', async () => {
  const user = await open();
  await picker();
  await user.upload(screen.getByTestId('file'), clip());
  await screen.findByRole('heading', { name: 'Happy' });
  expect(screen.queryByText(/^Among/)).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await choose(user, 'Angry', 'Happy', 'Sad');
  await user.upload(screen.getByTestId('file'), clip());
  await waitFor(() => expect(sent).toEqual([null, null]));
});

test('a single chosen emotion is not enough to analyse anything, and the page says why', async () => {
  const user = await open();
  await choose(user, 'Sad');
  expect(await screen.findByText('Choose at least two emotions, or none to choose from all.')).toBeVisible();
  expect(await picker()).toBeInvalid();
  for (const name of ['Record', 'Choose a file', /Happy voice/]) expect(screen.getByRole('button', { name })).toBeDisabled();
  await user.upload(screen.getByTestId('file'), clip());
  await user.click(screen.getByRole('link', { name: 'Live' }));
  expect(await screen.findByRole('button', { name: 'Start listening' })).toBeDisabled();
  await choose(user, 'Angry');
  expect(screen.getByRole('button', { name: 'Start listening' })).toBeEnabled();
  expect(sent).toEqual([]);
});

test('a batch is analysed among the emotions that were chosen', async () => {
  const user = await open('/batch');
  await choose(user, 'Angry');
  expect(await screen.findByRole('button', { name: 'Choose files' })).toBeDisabled();
  await choose(user, 'Sad');
  await user.upload(screen.getByTestId('files'), clip());
  expect(await within(await screen.findByRole('region', { name: 'Results' })).findByText('1 of 1 analysed')).toBeVisible();
  expect(sent).toEqual(['angry,sad']);
});
