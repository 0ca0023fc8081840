import { expect, test } from 'vitest';
import type { ChunkAnswer, Emotion } from './api';
import { History } from './history';

const answer = (sequence: number, emotion: Emotion | null, state: ChunkAnswer['state'] = emotion ? 'emotion' : 'no_speech'): ChunkAnswer => ({
  sequence,
  start: sequence,
  end: sequence + 3,
  state,
  emotion,
  confidence: emotion ? 60 : null,
  probabilities: emotion ? { [emotion]: 0.6 } : {},
  candidates: [],
});

test('answers may come in any order, and twice', () => {
  const history = new History();
  [2, 0, 3, 1, 1, 2].forEach((i) => history.add(answer(i, i < 2 ? 'happy' : 'sad')));
  expect(history.windows.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
  expect([history.latest?.sequence, history.count]).toEqual([3, 4]);
  expect(history.statistics).toEqual({ seconds: { happy: 2, sad: 2 }, transitions: 1, confidence: 60, speech: 1 });
});

test('what is unsure changes nothing, silence is no speech', () => {
  const history = new History();
  history.add(answer(0, 'happy'));
  history.add(answer(1, 'sad', 'unsure'));
  history.add(answer(2, null));
  history.add(answer(3, 'happy'));
  expect(history.statistics).toMatchObject({ transitions: 0, speech: 0.75 });
});

test('two hours keep half an hour of windows and the statistics of everything', () => {
  const history = new History();
  for (let i = 0; i < 7200; i += 1) history.add(answer(i, i % 60 < 30 ? 'happy' : 'sad'));
  expect(history.windows.length).toBeLessThanOrEqual(1804);
  expect(history.windows[0]!.end).toBeGreaterThanOrEqual(history.latest!.end - 1800);
  expect(history.statistics).toMatchObject({ seconds: { happy: 3600, sad: 3600 }, transitions: 239 });
});
