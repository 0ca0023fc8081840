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
let stored: Profile[];

/** Mocks a server that stores profiles. */
beforeEach(() => {
  stored = [];
  server.use(
    http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model, able] })),
    http.get('/api/v1/profiles', () => HttpResponse.json({ profiles: stored })),
    http.delete('/api/v1/profiles/:name', ({ params }) => {
      if (!stored.some(({ name }) => name === params.name)) return problem('profile_unknown', 404, 'There is no such profile.');
      stored = stored.filter(({ name }) => name !== params.name);
      return new HttpResponse(null, { status: 204 });
    }),
  );
});

afterEach(() => {
  act(() => enrollment.clear());
  window.history.replaceState(null, '', '/');
});

const createProfile = () =>
  http.post('/api/v1/profiles', () => {
    stored = [asha];
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

/** Value of a text field in a multipart body. */
const field = (form: string, name: string) => new RegExp(`name="${name}"\\s+(\\S.*)`).exec(form)?.[1]?.trim() ?? null;

const create = () => screen.getByRole('button', { name: 'Create profile' });
const recordings = () => screen.queryAllByRole('button', { name: /^Remove/ }).map((button) => button.getAttribute('aria-label'));

test('a profile is created from a name and recordings, and listed with advice on improving it', async () => {
  let sent = '';
  server.use(
    http.post('/api/v1/profiles', async ({ request }) => {
      sent = await request.text();
      stored = [asha];
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
])('%s is explained, and the entered name and recordings are preserved', async (code, status, title) => {
  server.use(http.post('/api/v1/profiles', () => problem(code, status, 'What the server says.')));
  const user = await fill(await open());
  await user.click(create());
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent(title);
  expect(alert).toHaveTextContent('What the server says.');
  expect(recordings()).toEqual(['Remove usual.wav', 'Remove glad.wav', 'Remove sad.wav']);
  expect(screen.getByRole('textbox', { name: 'Name' })).toHaveValue(' Asha ');
});

test('recordings survive a failed request and a change of view, and can be sent again', async () => {
  server.use(
    http.post('/api/v1/profiles', () => HttpResponse.error(), { once: true }),
    createProfile(),
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

test('recordings whose total size exceeds the limit are not sent', async () => {
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

test('removing a recording keeps focus in the list', async () => {
  const user = await fill(await open());
  await user.click(screen.getByRole('button', { name: 'Remove glad.wav' }));
  expect(recordings()).toEqual(['Remove usual.wav', 'Remove sad.wav']);
  expect(screen.getByText('2 recordings')).toHaveFocus();
});

test('only models with profile support are offered, and an existing name is pointed out', async () => {
  owner();
  stored = [asha];
  const user = await open();
  expect(await screen.findByText(/^Model: Whisper\./)).toBeVisible();
  await user.type(screen.getByRole('textbox', { name: 'Name' }), 'Asha');
  expect(await screen.findByText(/will be replaced/)).toBeVisible();
});

test('a server without such a model is reported', async () => {
  server.use(http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model] })));
  await open();
  expect(await screen.findByText('No model on this server can use speaker profiles.')).toBeVisible();
  expect(screen.queryByRole('textbox')).toBeNull();
});

test('a profile is deleted after confirmation, even if it no longer exists', async () => {
  owner();
  stored = [asha];
  const user = await open();
  await user.click(await screen.findByRole('button', { name: 'Delete the speaker profile “Asha”' }));
  expect(screen.getByRole('dialog')).toHaveTextContent('This permanently deletes');
  stored = [];
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('No speaker profiles yet')).toBeVisible();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('without an owner token there are no profiles and no request for them', async () => {
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

/** Records the speaker profile of each analyse request. */
function recordSpeakers() {
  const speakers: (string | null)[] = [];
  server.use(
    http.post('/api/v1/analyse', async ({ request }) => {
      const speaker = field(await request.text(), 'speaker');
      speakers.push(speaker);
      if (speaker && !stored.length) return problem('profile_unknown', 404, 'There is no profile.');
      return HttpResponse.json(analysisOf(happy));
    }),
  );
  return speakers;
}

test('the selected profile is sent, shown in the result, stored per model, and can be deselected', async () => {
  owner();
  stored = [asha];
  const speakers = recordSpeakers();
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

test('a profile deleted elsewhere is reported, and a retry goes without it', async () => {
  owner();
  stored = [asha];
  localStorage.setItem('voices', JSON.stringify({ whisper: 'Asha' }));
  const speakers = recordSpeakers();
  const user = await open('/');
  expect(await screen.findByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
  stored = [];
  await user.upload(screen.getByTestId('file'), clip('clip.wav'));
  expect(await screen.findByRole('alert')).toHaveTextContent('Speaker profile not found');
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { name: 'Happy' })).toBeVisible();
  expect(speakers).toEqual(['Asha', null]);
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await waitFor(() => expect(screen.queryByRole('combobox', { name: 'Speaker profile' })).toBeNull());
});

test('a profile in the list can be selected for analysis with one click', async () => {
  owner();
  stored = [asha];
  const user = await open();
  await user.click(await screen.findByRole('button', { name: 'Analyse with the speaker profile “Asha”' }));
  expect(await screen.findByRole('combobox', { name: 'Speaker profile' })).toHaveValue('Asha');
});
