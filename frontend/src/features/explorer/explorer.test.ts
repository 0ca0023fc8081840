import { expect, test } from 'vitest';
import { happy } from '../../../tests/server';
import type { Prediction } from '../../lib/api';
import { action, belongsToControl } from './keys';
import { gaps, probabilitiesIn, segmentAt, segmentText } from './segments';

const segment = (start: number, end: number, emotion: 'happy' | 'sad', state: 'emotion' | 'unsure' = 'emotion') => ({ start, end, emotion, state, confidence: 60 });
const segments = [segment(1, 4, 'happy'), segment(4, 6, 'sad', 'unsure')];
const prediction: Prediction = {
  ...happy,
  duration_seconds: 8,
  segments,
  timeline: { window_seconds: 3, hop_seconds: 1, start: [0, 1, 2, 3, 4], end: [3, 4, 5, 6, 7], probabilities: { happy: [0.9, 0.8, 0.7, 0.2, 0.1], sad: [0.1, 0.2, 0.3, 0.8, 0.9] } },
};

test('a moment lies in a segment or between them', () => {
  expect([0, 1, 3.9, 4, 7].map((seconds) => segmentAt(segments, seconds))).toEqual([-1, 0, 0, 1, -1]);
  expect(gaps(segments, 8)).toEqual([[0, 1], [6, 8]]);
  expect(gaps([], 8)).toEqual([[0, 8]]);
});

test('the probabilities of a segment are those of its windows', () => {
  expect(probabilitiesIn(prediction, segments[0]!).happy).toBeCloseTo((0.9 + 0.8 + 0.7) / 3);
  expect(probabilitiesIn(prediction, segments[1]!).sad).toBeCloseTo((0.8 + 0.9) / 2);
  expect(probabilitiesIn({ ...prediction, timeline: null }, segments[0]!)).toEqual(happy.probabilities);
});

test('a segment is told in words', () => {
  expect(segmentText(segments[1]!)).toBe('Unsure, closest to sad, 0:04 to 0:06, 60 %');
});

const press = (key: string, rest = {}) => action({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...rest });

test('keys mean what the help says', () => {
  expect(press(' ')).toEqual({ do: 'play' });
  expect(press('ArrowRight')).toEqual({ do: 'skip', seconds: 1 });
  expect(press('ArrowLeft', { shiftKey: true })).toEqual({ do: 'skip', seconds: -5 });
  expect([press('+'), press('-')]).toEqual([{ do: 'zoom', factor: 0.5 }, { do: 'zoom', factor: 2 }]);
  expect([press('['), press(']')]).toEqual([{ do: 'segment', step: -1 }, { do: 'segment', step: 1 }]);
  expect([press('l'), press('L')]).toEqual([{ do: 'loop' }, { do: 'loop' }]);
  expect([press('l', { ctrlKey: true }), press('x')]).toEqual([null, null]);
});

test('keys of a control stay its own', () => {
  const button = document.createElement('button');
  const slider = document.createElement('div');
  slider.setAttribute('role', 'slider');
  expect([belongsToControl(' ', button), belongsToControl('l', button), belongsToControl('ArrowLeft', slider)]).toEqual([true, false, true]);
});
