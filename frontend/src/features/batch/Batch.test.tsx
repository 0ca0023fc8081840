import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderPage } from '../../../tests/render';
import { able, asha, happy, limits, model, problem, server } from '../../../tests/server';
import type { Model } from '../../lib/api';
import { Batch } from './Batch';
import { batchState } from './batchState';

/** A file as chosen within a folder. */
function clip(path: string): File {
  const file = new File([new Uint8Array(100)], path.split('/').at(-1)!, { type: 'audio/wav' });
  if (path.includes('/')) Object.defineProperty(file, 'webkitRelativePath', { value: path });
  return file;
}

const field = (form: string, name: string) => new RegExp(`name="${name}"\\s+(\\S.*)`).exec(form)?.[1]?.trim() ?? null;

/** Names of the speaker profiles on the server, and of those that recordings were sent with. */
let stored: string[];
let sent: (string | null)[];

beforeEach(() => {
  [stored, sent] = [[], []];
  server.use(
    http.post('/api/v1/profiles', async ({ request }) => {
      stored.push(field(await request.text(), 'name')!);
      return HttpResponse.json({ profile: asha, warnings: [], warning_codes: [] }, { status: 201 });
    }),
    http.delete('/api/v1/profiles/:name', ({ params }) => {
      stored = stored.filter((name) => name !== params.name);
      return new HttpResponse(null, { status: 204 });
    }),
    http.post('/upload', async ({ request }) => {
      const speaker = field(await request.text(), 'speaker');
      sent.push(speaker);
      return HttpResponse.json({ ...happy, adapted_seconds: speaker ? 24 : 0 });
    }),
  );
});

afterEach(() => {
  act(() => batchState.queue.clear());
  batchState.adaptation = undefined;
});

async function analyseFiles(files: File[], chosen: Model = able) {
  const user = userEvent.setup();
  renderPage(<Batch limits={limits} model={chosen} blocked={false} setup={null} />);
  await user.upload(screen.getByTestId(files[0]!.webkitRelativePath ? 'folder' : 'files'), files);
  expect(await screen.findByText(`${files.length} of ${files.length} analysed`)).toBeVisible();
  return user;
}

const picker = () => screen.getByRole('combobox', { name: 'Adapt to speakers' });

test('files of a folder are adapted to its speaker with a temporary profile, which is deleted afterwards', async () => {
  await analyseFiles(['asha/1.wav', 'asha/2.wav'].map(clip));
  expect(picker()).toHaveValue('One speaker per folder');
  expect(sent).toEqual([expect.stringMatching(/^batch [0-9a-f]{8}$/), sent[0]]);
  await waitFor(() => expect(stored).toEqual([]));
  const row = screen.getByRole('row', { name: /asha\/1.wav/ });
  expect(within(row).getByText('24 s')).toBeVisible();
  expect(screen.getByRole('columnheader', { name: 'Adapted from' })).toBeVisible();
});

test('single files are analysed by themselves, until they are said to be of one speaker', async () => {
  const user = await analyseFiles(['1.wav', '2.wav'].map(clip));
  expect(picker()).toHaveValue('Off');
  expect(sent).toEqual([null, null]);
  expect(screen.queryByRole('columnheader', { name: 'Adapted from' })).toBeNull();
  await user.click(picker());
  await user.click(await screen.findByRole('option', { name: 'One speaker for all files' }));
  await user.click(screen.getByRole('button', { name: 'Analyse again with this setting' }));
  await waitFor(() => expect(screen.getAllByText('24 s')).toHaveLength(2));
  expect(screen.queryByRole('button', { name: 'Analyse again with this setting' })).toBeNull();
  const labels = new File(['1.wav,happy\n2.wav,sad\n'], 'labels.csv', { type: 'text/csv' });
  await user.upload(screen.getByTestId('labels'), labels);
  expect(await screen.findByText(/2 of these 2 results are adapted to the speaker/)).toBeVisible();
});

test('a model without speaker profiles says that it cannot adapt', async () => {
  await analyseFiles(['asha/1.wav', 'asha/2.wav'].map(clip), model);
  expect(picker()).toBeDisabled();
  expect(picker()).toHaveValue('Off');
  expect(screen.getByText('The model 1D-CNN cannot adapt to speakers.')).toBeVisible();
  expect(sent).toEqual([null, null]);
});

test('files are analysed without adaptation, and the page says why, if there can be no profile', async () => {
  server.use(http.post('/api/v1/profiles', () => problem('quota_reached', 422, 'You have 100 profiles.')));
  await analyseFiles(['asha/1.wav', 'asha/2.wav'].map(clip));
  expect(sent).toEqual([null, null]);
  expect(screen.getByRole('alert')).toHaveTextContent(
    '“asha” was analysed without adapting to the speaker. Reason: Storage limit reached.',
  );
});

test('each file has its warnings', async () => {
  const unlike = { ...happy, warnings: ['Unlike anything.'], warning_codes: ['unlike_training'] };
  server.use(http.post('/upload', () => HttpResponse.json(unlike)));
  await analyseFiles([clip('1.wav')]);
  const row = screen.getByRole('row', { name: /1.wav/ });
  expect(within(row).getByText(/^This recording is unlike anything the model was trained on/)).toBeVisible();
});
