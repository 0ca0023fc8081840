import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { afterEach, expect, test, vi } from 'vitest';
import { renderPage } from '../../tests/render';
import { able, analysisOf, happy, limits, model, problem, server } from '../../tests/server';
import type { Prediction } from '../lib/api';
import { App } from './App';

// jsdom cannot decode audio; the chart reports that and shows everything else
vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => () => {}, loadBlob: () => Promise.reject(new Error()), destroy: () => {} }) },
}));

afterEach(() => window.history.replaceState(null, '', '/'));

const respondWith = (prediction: Prediction) => http.post('/api/v1/analyse', () => HttpResponse.json(analysisOf(prediction)));

const clip = () => new File([new Uint8Array(100)], 'clip.wav', { type: 'audio/wav' });

async function upload(file = clip()) {
  const user = userEvent.setup({ applyAccept: false });
  renderPage(<App />);
  await screen.findByText(/up to 25 MiB/);
  await user.upload(screen.getByTestId('file'), file);
  return user;
}

test('an uploaded recording shows its emotion, confidence and every probability', async () => {
  await upload();
  expect(await screen.findByRole('heading', { name: 'Happy' })).toHaveFocus();
  expect(screen.getByText('87% confidence')).toBeVisible();
  const rows = within(screen.getByRole('list', { name: 'Probability of each emotion' })).getAllByRole('listitem');
  expect(rows.map((row) => row.textContent)).toEqual(['Happy87%', 'Sad10%', 'Angry3%']);
  expect(screen.getByText(/3.6 s long, 2.1 s of speech · analysed with cnn1d in/)).toBeVisible();
});

test('a sample is analysed with one click and shows the intended emotion', async () => {
  renderPage(<App />);
  await userEvent.click(await screen.findByRole('button', { name: /Happy voice/ }));
  expect(await screen.findByText('Intended by the actor: happy.')).toBeVisible();
});

test('an unsure result names the candidate emotions', async () => {
  const unsure: Prediction = { ...happy, state: 'unsure', confidence: 41, candidates: ['happy', 'sad'] };
  server.use(respondWith(unsure));
  await upload();
  expect(await screen.findByRole('heading', { name: 'Unsure' })).toBeVisible();
  expect(screen.getByText('Closest to happy or sad')).toBeVisible();
});

test('a recording without speech has no emotion', async () => {
  const silent: Prediction = { ...happy, state: 'no_speech', emotion: null, confidence: null, probabilities: {}, segments: [] };
  server.use(respondWith(silent));
  await upload();
  expect(await screen.findByRole('heading', { name: 'No speech detected' })).toBeVisible();
  expect(screen.queryByRole('list', { name: /Probability/ })).toBeNull();
});

test('a result that changes over time shows its segments', async () => {
  const segments: Prediction['segments'] = [
    { start: 0, end: 6, emotion: 'happy', confidence: 80, state: 'emotion' },
    { start: 6, end: 12, emotion: 'sad', confidence: 40, state: 'unsure' },
  ];
  server.use(respondWith({ ...happy, duration_seconds: 12, segments }));
  await upload();
  const parts = within(await screen.findByRole('list', { name: 'Emotion over time' })).getAllByRole('button');
  expect(parts.map((part) => part.title)).toEqual(['Happy, 0.0 s to 6.0 s, 80%', 'Unsure, closest to sad, 6.0 s to 12.0 s, 40%']);
});

test('an error says what happened, why and what to do, and leads back to the start', async () => {
  server.use(http.post('/api/v1/analyse', () => problem('audio_unsupported', 422, 'This is not an audio file.')));
  const user = await upload();
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Unsupported audio format');
  expect(alert).toHaveTextContent('The file contains no audio in a supported format.');
  expect(within(alert).getByText('This is not an audio file.')).toHaveAttribute('lang', 'en');
  expect(alert).toHaveTextContent(/Choose a WAV/);
  expect(within(alert).queryByRole('button', { name: 'Try again' })).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Choose another recording' }));
  expect(screen.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('a warning with a code is translated, one without is shown in English', async () => {
  server.use(respondWith({ ...happy, warnings: ['Too loud.', 'Kept long ago.'], warning_codes: ['overdriven'] }));
  await upload();
  expect(await screen.findByText(/^The recording is clipped/)).toBeVisible();
  expect(screen.getByText('Kept long ago.')).toHaveAttribute('lang', 'en');
  expect(screen.queryByText('Too loud.')).toBeNull();
});

test('a recording unlike the training data has a translated warning', async () => {
  server.use(respondWith({ ...happy, warnings: ['Unlike anything.'], warning_codes: ['unlike_training'] }));
  await upload();
  expect(await screen.findByText(/^This recording is unlike anything the model was trained on/)).toBeVisible();
  expect(screen.getByText('How many such results are right was not measured on recordings like this one.')).toBeVisible();
});

test('a result that is adapted to the speaker says from how much speech, and others do not', async () => {
  const user = await upload();
  await screen.findByRole('heading', { name: 'Happy' });
  expect(screen.queryByText(/^Adapted to this speaker/)).toBeNull();
  server.use(respondWith({ ...happy, adapted_seconds: 24.3 }));
  await user.click(screen.getByRole('button', { name: 'Analyse another' }));
  await user.upload(screen.getByTestId('file'), clip());
  expect(await screen.findByText('Adapted to this speaker from 24 s of speech')).toBeVisible();
});

test('a recording can be sent again after the server was unreachable', async () => {
  server.use(http.post('/api/v1/analyse', () => HttpResponse.error(), { once: true }));
  const user = await upload();
  expect(await screen.findByRole('alert')).toHaveTextContent('The server cannot be reached');
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { name: 'Happy' })).toBeVisible();
});

test('a file above the size limit is rejected without an upload', async () => {
  const sent = vi.fn();
  server.use(
    http.get('/api/v1/limits', () => HttpResponse.json({ ...limits, max_upload_bytes: 1100, max_audio_seconds: 60 })),
    http.post('/api/v1/analyse', sent),
  );
  renderPage(<App />);
  await screen.findByText(/1 minute$/);
  await userEvent.upload(screen.getByTestId('file'), clip());
  expect(await screen.findByRole('alert')).toHaveTextContent('The file is too large');
  expect(sent).not.toHaveBeenCalled();
});

test('the model that the server calls the most accurate is preselected, with its accuracy, and used', async () => {
  const higher = { ...model, name: 'higher', title: 'Higher', figure: { ...model.figure!, ua: 80 } }; // on an easier corpus
  const better = { ...model, name: 'better', title: 'Better', most_accurate: true, figure: { ...model.figure!, ua: 61.2 } };
  let body = '';
  server.use(
    http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model, higher, better] })),
    http.post('/api/v1/analyse', async ({ request }) => {
      body = await request.text();
      return HttpResponse.json(analysisOf(happy));
    }),
  );
  renderPage(<App />);
  expect(await screen.findByText(/Average recall on new speakers: 61%/)).toBeVisible();
  await userEvent.upload(screen.getByTestId('file'), clip());
  await screen.findByRole('heading', { name: 'Happy' });
  expect(body).toMatch(/name="model"\s+better/);
});

test('every model option shows its accuracy on new speakers', async () => {
  const unmeasured = { ...model, name: 'new', title: 'New', figure: null, figures: [], licence: 'ODbL 1.0', commercial_use: true };
  server.use(http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model, able, unmeasured] })));
  renderPage(<App />);
  await userEvent.click(await screen.findByRole('combobox', { name: 'Model' }));
  const options = await screen.findAllByRole('option');
  expect(options).toHaveLength(3);
  expect(options[0]).toHaveAccessibleName(
    '1D-CNN 55.1% average recall · 7 emotions · RAVDESS, new speakers CC BY-NC-SA 4.0 · no commercial use',
  );
  expect(options[1]).toHaveAccessibleName(
    'Whisper 77.0% average recall · 7 emotions · RAVDESS, new speakers CC BY-NC-SA 4.0 · no commercial use',
  );
  expect(options[2]).toHaveAccessibleName(
    'New Its accuracy on new speakers has not been measured. ODbL 1.0 · commercial use under these terms',
  );
});

test('the notice is shown until it is dismissed', async () => {
  const first = renderPage(<App />);
  await userEvent.click(screen.getByRole('button', { name: 'Dismiss this notice' }));
  await waitFor(() => expect(screen.queryByText(/inferring emotions at work/)).toBeNull());
  first.unmount();
  renderPage(<App />);
  expect(screen.queryByText(/inferring emotions at work/)).toBeNull();
});
