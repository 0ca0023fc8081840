import { expect, test } from 'vitest';
import session from '../../../tests/live-session.json';
import type { ChunkAnswer, Emotion } from '../../lib/api';
import { History } from './history';

const result = (
  sequence: number,
  emotion: Emotion | null,
  state: ChunkAnswer['state'] = emotion ? 'emotion' : 'no_speech',
): ChunkAnswer => ({
  sequence,
  start: sequence,
  end: sequence + 3,
  state,
  emotion,
  confidence: emotion && (state === 'unsure' ? 40 : 80),
  probabilities: emotion ? { [emotion]: state === 'unsure' ? 0.4 : 0.8 } : {},
  candidates: [],
  adapted_seconds: 0,
  speech: (emotion ? '1' : '0').repeat(94),
});

test('knows how much speech the last result with speech is adapted to', () => {
  const history = new History();
  expect(history.adaptedSeconds).toBe(0);
  [0, 2.5, 4.8].forEach((adapted, i) => history.add({ ...result(i, 'happy'), adapted_seconds: adapted }));
  history.add(result(3, null));
  expect(history.adaptedSeconds).toBe(4.8);
});

test('accepts results in any order and ignores duplicates', () => {
  const history = new History();
  [2, 0, 3, 1, 1, 2].forEach((i) => history.add(result(i, i < 2 ? 'happy' : 'sad')));
  expect(history.windows.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
  expect([history.latest?.sequence, history.count]).toEqual([3, 4]);
  const { seconds, transitions, speech } = history.statistics;
  expect([seconds.happy, seconds.sad, transitions, speech]).toEqual([expect.closeTo(3), expect.closeTo(3), 1, expect.closeTo(1)]);
});

test('does not count unsure windows as transitions or silence as speech', () => {
  const history = new History();
  for (let i = 0; i < 12; i += 1) history.add(i < 4 || i > 7 ? result(i, 'happy') : result(i, 'sad', 'unsure'));
  expect(history.statistics.transitions).toBe(0);
  expect(history.statistics.seconds.sad).toBeCloseTo(4);
  for (let i = 12; i < 28; i += 1) history.add(result(i, null));
  expect(history.statistics.speech).toBeCloseTo(13 / 30, 1);
});

test.each([
  ['in order', session.answers],
  ['in reverse order', session.answers.toReversed()],
])('computes the same statistics as the server for a session with a pause, results %s', (_, answers) => {
  const history = new History();
  answers.forEach((one) => history.add(one as unknown as ChunkAnswer));
  const { seconds, transitions, confidence, speech } = history.statistics;
  const { statistics } = session;
  expect(Object.entries(seconds).toSorted(([, one], [, other]) => other - one)).toEqual(
    Object.entries(statistics.seconds).map(([emotion, time]) => [emotion, expect.closeTo(time, 1)]),
  );
  expect([transitions, confidence, 100 * speech]).toEqual([
    statistics.transitions,
    expect.closeTo(statistics.confidence, 1),
    expect.closeTo(statistics.speech_share, 1),
  ]);
});

test('keeps the windows of the last half hour and the statistics of all two hours', () => {
  const history = new History();
  for (let i = 0; i < 7200; i += 1) history.add(result(i, i % 60 < 30 ? 'happy' : 'sad'));
  expect(history.windows.length).toBeLessThanOrEqual(1804);
  expect(history.windows[0]!.end).toBeGreaterThanOrEqual(history.latest!.end - 1800);
  const { seconds, transitions } = history.statistics;
  expect([seconds.happy, seconds.sad, transitions]).toEqual([expect.closeTo(3601), expect.closeTo(3601), 239]);
});
