/** Mock server (msw) with the real server's response formats, and test data. */
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import type { Analysis, Limits, Figure, Model, Prediction, Profile, Sample } from '../src/lib/api';

export const limits: Limits = {
  max_upload_bytes: 26214400,
  max_audio_seconds: 1800,
  min_audio_seconds: 0.1,
  formats: ['wav', 'flac', 'mp3'],
};

const figure: Figure = {
  corpus: 'ravdess',
  protocol: 'emobox',
  classes: 7,
  speaker_independent: true,
  ua: 55.1,
  ua_std: 0.8,
  wa: 54,
  f1: 53,
  weighted_f1: 54,
  seeds: 3,
  interval: [50.2, 60.1],
};

export const model: Model = {
  name: 'cnn1d',
  title: '1D-CNN',
  summary: 'Three convolutions.',
  labels: ['angry', 'happy', 'sad'],
  sample_rate: 16000,
  parameters: 700000,
  corpora: ['ravdess'],
  licence: 'CC BY-NC-SA 4.0',
  commercial_use: false,
  most_accurate: false,
  figure,
  figures: [figure],
  leaky_figure: null,
  profiles: false,
};

/** The most accurate model, which supports speaker profiles. */
export const able: Model = {
  ...model,
  name: 'whisper',
  title: 'Whisper',
  profiles: true,
  most_accurate: true,
  figure: { ...figure, ua: 77 },
};

export const asha: Profile = {
  name: 'Asha',
  model: 'whisper',
  weights: '0123456789abcdef',
  clips: 3,
  speech_seconds: 7.2,
  variety: 0.64,
  share: 0.5,
  created: '2026-11-21T14:16:00+00:00',
};

export const happy: Prediction = {
  file: 'clip.wav',
  state: 'emotion',
  emotion: 'happy',
  confidence: 87.3,
  probabilities: { angry: 0.027, happy: 0.873, sad: 0.1 },
  candidates: [],
  model: 'cnn1d',
  duration_seconds: 3.6,
  speech_seconds: 2.1,
  segments: [{ start: 0.4, end: 2.5, emotion: 'happy', confidence: 87.3, state: 'emotion' }],
  warnings: [],
  warning_codes: [],
  dominant: 'happy',
  transitions: [],
  timeline: null,
  prediction_set: null,
  intensity: null,
  emotions: [],
  adapted_seconds: 0,
};

/** A full analysis with the given prediction. */
export function analysisOf(prediction: Prediction): Analysis {
  return {
    prediction,
    attention: { kind: 'attention', start: [0, 1], end: [1, 2], weight: [0.2, 0.8] },
    descriptors: [{ name: 'pitch', value: 212.4, unit: 'Hz', meaning: 'How high the voice is on average.' }],
    curves: [{ name: 'pitch', unit: 'Hz', times: [0, 0.5, 1], values: [200, null, 220] }],
    session: null,
  };
}

export const samples: Sample[] = [{ file: 'happy.wav', intended: 'happy', voice: 'woman', age: 27, says: 'I think so.' }];

export function problem(code: string, status: number, detail: string) {
  const body = { type: `/docs#${code}`, title: code, status, detail, code, request_id: 'abc123' };
  return HttpResponse.json(body, { status, headers: { 'Content-Type': 'application/problem+json' } });
}

export const server = setupServer(
  http.get('/api/v1/models', () => HttpResponse.json({ default: 'cnn1d', models: [model] })),
  http.get('/api/v1/limits', () => HttpResponse.json(limits)),
  http.get('/api/v1/profiles', () => HttpResponse.json({ profiles: [] })),
  http.get('/samples/index.json', () => HttpResponse.json(samples)),
  http.get('/samples/happy.wav', () => HttpResponse.arrayBuffer(new ArrayBuffer(64))),
  http.post('/upload', () => HttpResponse.json(happy)),
  http.post('/api/v1/analyse', () => HttpResponse.json(analysisOf(happy))),
);
