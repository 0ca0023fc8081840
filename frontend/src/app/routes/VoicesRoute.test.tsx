import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renderPage } from '../../../tests/render';
import { able, analysisOf, asha, happy, model, problem, server } from '../../../tests/server';
import { enrollment } from '../../features/voices/enrollment';
import type { Profile } from '../../lib/api';
import { owner } from '../../lib/api/owner';
import { App } from '../App';

vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => () => {}, loadBlob: () => Promise.reject(new Error()), destroy: () => {} }) },
}));

const clip = (name: string) => new File([new Uint8Array(100)], name, { type: 'audio/wav' });
const clips = ['usual.wav', 'glad.wav', 'sad.wav'].map(clip);
let kept: Profile[];

/** A server that keeps what it is given. */
beforeEach(() => {
  kept = [];
  server.use(
    http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model, able] })),
    http.get('/api/v1/profiles', () => HttpResponse.json({ profiles: kept })),
    http.delete('/api/v1/profiles/:name', ({ params }) => {
      if (!kept.some(({ name }) => name === params.name)) return problem('profile_unknown', 404, 'There is no such profile.');
      kept = kept.filter(({ name }) => name !== params.name);
      return new HttpResponse(null, { status: 204 });
    }),
  );
});

afterEach(() => {
  act(() => enrollment.clear());
  window.history.replaceState(null, '', '/');
});

const making = () =>
  http.post('/api/v1/profiles', () => {
    kept = [asha];
    return HttpResponse.json({ profile: asha, warnings: [], warning_codes: [] }, { status: 201 });
  });

async function open(path = '/voices') {
  window.history.replaceState(null, '', path);
  renderPage(<App />);
  return userEvent.setup();
}

async function fill(user: ReturnType<typeof userEvent.setup>, files = clips) {
  await user.type(await screen.findByRole('textbox', { name: 'Name' }), ' Asha ');
  await user.upload(screen.getByTestId('file'), files);
  return user;
}

/** A text field of a form as it was sent. */
const field = (form: string, name: string) => new RegExp(`name="${name}"\\s+(\\S.*)`).exec(form)?.[1]?.trim() ?? null;

const create = () => screen.getByRole('button', { name: 'Create profile' });
const recordings = () => screen.queryAllByRole('button', { name: /^Remove/ }).map((button) => button.getAttribute('aria-label'));

test('a name and recordings become a voice, which is listed with what would make it better', async () => {
  let sent = '';
  server.use(
    http.post('/api/v1/profiles', async ({ request }) => {
      sent = await request.text();
      kept = [asha];
      return HttpResponse.json({ profile: asha, warnings: ['The recordings sound alike.'], warning_codes: ['alike'] }, { status: 201 });
    }),
  );
  const user = await open();
  expect(await screen.findByText('No speaker profiles yet')).toBeVisible();
  await fill(user, [...clips, clip('silent.wav')]);
  await user.click(create());
  expect(await screen.findByRole('heading', { name: 'The speaker profile “Asha” is ready' })).toHaveFocus();
  const notes = within(screen.getByRole('region', { name: 'The speaker profile “Asha” is ready' })).getAllByRole('listitem');
  expect(notes.map((note) => note.textContent)).toEqual([
    '1 recording without speech was left out.',
    'The recordings sound alike; adding a few in other moods makes the profile much better.',
  ]);
  expect([field(sent, 'name'), field(sent, 'model'), sent.match(/name="file"/g)?.length]).toEqual(['Asha', 'whisper', 4]);
  const listed = await screen.findByText(/3 recordings, 7.2 s of speech/);
  expect(listed).toHaveTextContent(/^Whisper · .* · 21 Nov 2026/);
  expect(screen.getByText('Variety 64%')).toBeVisible();
  expect(recordings()).toEqual([]);
  expect(create()).toBeDisabled();
});

test.each([
  ['profile_name', 400, 'This name cannot be used'],
  ['profile_empty', 422, 'No speech in the recordings'],
  ['file_ambiguous', 400, 'Too many recordings'],
  ['body_too_large', 413, 'The file is too large'],
  ['profile_model', 422, 'The model cannot use this speaker profile'],
  ['audio_unsupported', 422, 'Unsupported audio format'],
])('%s is explained, and nothing that was given is lost', async (code, status, title) => {
  server.use(http.post('/api/v1/profiles', () => problem(code, status, 'What the server says.')));
  const user = await fill(await open());
  await user.click(create());
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent(title);
  expect(alert).toHaveTextContent('What the server says.');
  expect(recordings()).toEqual(['Remove usual.wav', 'Remove glad.wav', 'Remove sad.wav']);
  expect(screen.getByRole('textbox', { name: 'Name' })).toHaveValue(' Asha ');
});

test('when the server is gone the recordings are kept, whatever view is looked at meanwhile, and can be sent again', async () => {
  server.use(
    http.post('/api/v1/profiles', () => HttpResponse.error(), { once: true }),
    making(),
  );
  const user = await fill(await open());
  await user.click(create());
  expect(await screen.findByRole('alert')).toHaveTextContent('The server cannot be reached');
  await user.click(screen.getByRole('link', { name: 'Analyse' }));
  await screen.findByRole('button', { name: 'Record' });
  await user.click(screen.getByRole('link', { name: 'Profiles' }));
  await user.click(await screen.findByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { name: 'The speaker profile “Asha” is ready' })).toBeVisible();
});

test('recordings that are too large together are not sent', async () => {
  const asked = vi.fn();
  server.use(
    http.get('/api/v1/limits', () =>
      HttpResponse.json({ max_upload_bytes: 3000, max_audio_seconds: 60, min_audio_seconds: 0.1, formats: ['wav'] }),
    ),
    http.post('/api/v1/profiles', asked),
  );
  const user = await fill(await open());
  await screen.findByText(/in total/);
  await user.click(create());
  expect(await screen.findByRole('alert')).toHaveTextContent('The recordings are too large');
  expect(asked).not.toHaveBeenCalled();
});

test('a recording is removed, and the focus stays in the list', async () => {
  const user = await fill(await open());
  await user.click(screen.getByRole('button', { name: 'Remove glad.wav' }));
  expect(recordings()).toEqual(['Remove usual.wav', 'Remove sad.wav']);
  expect(screen.getByText('2 recordings')).toHaveFocus();
});

test('only models that can be calibrated are offered, and a name that is taken is said to be', async () => {
  owner();
  kept = [asha];
  const user = await open();
  expect(await screen.findByText(/^Model: Whisper\./)).toBeVisible();
  await user.type(screen.getByRole('textbox', { name: 'Name' }), 'Asha');
  expect(await screen.findByText(/will be replaced/)).toBeVisible();
});

test('a server without such a model says so', async () => {
  server.use(http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model] })));
  await open();
  expect(await screen.findByText('No model on this server can use speaker profiles.')).toBeVisible();
  expect(screen.queryByRole('textbox')).toBeNull();
});

test('a voice is deleted once that is confirmed, also where it is gone already', async () => {
  owner();
  kept = [asha];
  const user = await open();
  await user.click(await screen.findByRole('button', { name: 'Delete the speaker profile “Asha”' }));
  expect(screen.getByRole('dialog')).toHaveTextContent('This permanently deletes');
  kept = [];
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('No speaker profiles yet')).toBeVisible();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a browser for which nothing is kept has no voice and need not ask for any', async () => {
  const asked = vi.fn();
  server.use(http.get('/api/v1/profiles', asked));
  await open('/');
  await screen.findByRole('button', { name: 'Record' });
  await screen.findByText(/Average recall on new speakers/);
  expect(screen.queryByRole('combobox', { name: 'Speaker profile' })).toBeNull();
  expect(asked).not.toHaveBeenCalled();
});

async function choose(user: ReturnType<typeof userEvent.setup>, name: string) {
  await user.click(await screen.findByRole('combobox', { name: 'Speaker profile' }));
  await user.click(await screen.findByRole('option', { name }));
}

/** The speaker that each request names. */
function listening() {
  const speakers: (string | null)[] = [];
  server.use(
    http.post('/api/v1/analyse', async ({ request }) => {
      const speaker = field(await request.text(), 'speaker');
      speakers.push(speaker);
      if (speaker && !kept.length) return problem('profile_unknown', 404, 'There is no profile.');
      return HttpResponse.json(analysisOf(happy));
    }),
  );
  return speakers;
}

test('the chosen voice is sent, named in the answer, remembered for its model, and let go of again', async () => {
  owner();
  kept = [asha];
  const speakers = listening();
  const user = await open('/');
  await choose(user, 'Asha');
  expect(JSON.parse(localStorage.getItem('voices')!)).toEqual({ whisper: 'Asha' });
  await user.upload(screen.getByTestId('file'), clip('clip.wav'));
  expect(await screen.findByText(/calibrated to the speaker profile “Asha”/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await user.click(screen.getByRole('combobox', { name: 'Model' }));
  await user.click(await screen.findByRole('option', { name: /^1D-CNN/ }));
  expect(screen.queryByRole('combobox', { name: 'Speaker profile' })).toBeNull();
  await user.click(screen.getByRole('combobox', { name: 'Model' }));
  await user.click(await screen.findByRole('option', { name: /^Whisper/ }));
  expect(screen.getByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
  await choose(user, 'No speaker profile');
  await user.upload(screen.getByTestId('file'), clip('clip.wav'));
  await screen.findByRole('heading', { name: 'Happy' });
  expect(screen.queryByText(/calibrated/)).toBeNull();
  expect(speakers).toEqual(['Asha', null]);
});

test('a voice that was deleted elsewhere is said to be gone, and trying again goes without it', async () => {
  owner();
  kept = [asha];
  localStorage.setItem('voices', JSON.stringify({ whisper: 'Asha' }));
  const speakers = listening();
  const user = await open('/');
  expect(await screen.findByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
  kept = [];
  await user.upload(screen.getByTestId('file'), clip('clip.wav'));
  expect(await screen.findByRole('alert')).toHaveTextContent('Speaker profile not found');
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { name: 'Happy' })).toBeVisible();
  expect(speakers).toEqual(['Asha', null]);
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await waitFor(() => expect(screen.queryByRole('combobox', { name: 'Speaker profile' })).toBeNull());
});

test('from the list it is one click to an answer with that voice', async () => {
  owner();
  kept = [asha];
  const user = await open();
  await user.click(await screen.findByRole('button', { name: 'Analyse with the speaker profile “Asha”' }));
  expect(await screen.findByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
});
