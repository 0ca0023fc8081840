import { expect, test } from 'vitest';
import { happy } from '../../../tests/server';
import type { Prediction } from '../../lib/api';
import { action, belongsToControl } from './keys';
import { levelTable } from './levels';
import { gaps, probabilitiesIn, segmentAt, segmentText } from './segments';

const segment = (start: number, end: number, emotion: 'happy' | 'sad', state: 'emotion' | 'unsure' = 'emotion') => ({
  start,
  end,
  emotion,
  state,
  confidence: 60,
});
const segments = [segment(1, 4, 'happy'), segment(4, 6, 'sad', 'unsure')];
const prediction: Prediction = {
  ...happy,
  duration_seconds: 8,
  segments,
  timeline: {
    window_seconds: 3,
    hop_seconds: 1,
    start: [0, 1, 2, 3, 4],
    end: [3, 4, 5, 6, 7],
    probabilities: { happy: [0.9, 0.8, 0.7, 0.2, 0.1], sad: [0.1, 0.2, 0.3, 0.8, 0.9] },
  },
};

test('finds the segment at a time and the gaps between segments', () => {
  expect([0, 1, 3.9, 4, 7].map((seconds) => segmentAt(segments, seconds))).toEqual([-1, 0, 0, 1, -1]);
  expect(gaps(segments, 8)).toEqual([
    [0, 1],
    [6, 8],
  ]);
  expect(gaps([], 8)).toEqual([[0, 8]]);
});

test('averages the probabilities of the windows in a segment', () => {
  expect(probabilitiesIn(prediction, segments[0]!).happy).toBeCloseTo((0.9 + 0.8 + 0.7) / 3);
  expect(probabilitiesIn(prediction, segments[1]!).sad).toBeCloseTo((0.8 + 0.9) / 2);
  expect(probabilitiesIn({ ...prediction, timeline: null }, segments[0]!)).toEqual(happy.probabilities);
});

test('describes a segment in words', () => {
  expect(segmentText(segments[1]!)).toBe('Unsure, closest to sad, 4.0 s to 6.0 s, 60%');
});

const press = (key: string, rest = {}) => action({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...rest });

test('maps keys to actions', () => {
  expect(press(' ')).toEqual({ do: 'play' });
  expect(press('ArrowRight')).toEqual({ do: 'skip', seconds: 1 });
  expect(press('ArrowLeft', { shiftKey: true })).toEqual({ do: 'skip', seconds: -5 });
  expect([press('+'), press('-')]).toEqual([
    { do: 'zoom', factor: 0.5 },
    { do: 'zoom', factor: 2 },
  ]);
  expect([press('['), press(']')]).toEqual([
    { do: 'segment', step: -1 },
    { do: 'segment', step: 1 },
  ]);
  expect([press('l'), press('L')]).toEqual([{ do: 'loop' }, { do: 'loop' }]);
  expect([press('l', { ctrlKey: true }), press('x')]).toEqual([null, null]);
});

test('leaves keys to the focused control', () => {
  const button = document.createElement('button');
  const slider = document.createElement('div');
  slider.setAttribute('role', 'slider');
  expect([belongsToControl(' ', button), belongsToControl('l', button), belongsToControl('ArrowLeft', slider)]).toEqual([
    true,
    false,
    true,
  ]);
});

test('leaves only the scroll keys to a scrollable table', () => {
  const table = document.createElement('div');
  table.dataset.scrolls = '';
  const place = table.appendChild(document.createElement('div'));
  expect([' ', 'ArrowLeft', 'ArrowRight', 'Home', 'End'].map((key) => belongsToControl(key, place))).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(['l', '+', ']'].map((key) => belongsToControl(key, place))).toEqual([false, false, false]);
  expect(belongsToControl('ArrowLeft', document.createElement('div'))).toBe(false);
});

test('summarises each kind of spectrogram in its own bands', () => {
  const tone = Float32Array.from({ length: 16000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1760 * i) / 16000)); // an A
  const read = (kind: 'mel' | 'stft' | 'chroma') => {
    const { head, rows } = levelTable(tone, { from: 0, to: 1 }, kind);
    const levels = rows()[5]!
      .slice(1)
      .map((text) => Number(text));
    return { head: head.slice(1), levels, loudest: head[1 + levels.indexOf(Math.max(...levels))] };
  };
  const [mel, linear, chroma] = [read('mel'), read('stft'), read('chroma')];
  expect([mel.loudest, linear.loudest, chroma.loudest]).toEqual(['1,000 to 2,000 Hz (dB)', '1,000 to 2,000 Hz (dB)', 'A (dB)']);
  expect([mel.head.length, linear.head.length, chroma.head.length]).toEqual([5, 5, 12]);
  expect(mel.levels).not.toEqual(linear.levels);
  expect([Math.max(...chroma.levels), Math.min(...chroma.levels)]).toEqual([0, -24]);
});
