import { expect, test } from 'vitest';
import { Windows, type Window } from './windows';

const RATE = 100;

/** Feeds blocks whose samples equal their index, so that each window shows which samples it contains. */
function feed(lengths: number[], between?: (windows: Windows, i: number) => void): Window[] {
  const found: Window[] = [];
  const windows = new Windows(RATE, (window) => found.push(window));
  let fed = 0;
  lengths.forEach((length, i) => {
    windows.push(Float32Array.from({ length }, (_, k) => fed + k));
    fed += length;
    between?.(windows, i);
  });
  return found;
}

const shape = ({ sequence, start, samples }: Window) => [sequence, start, samples.length, samples[0], samples.at(-1)];

test.each([[[700]], [[33, 267, 100, 300]], [Array.from({ length: 100 }, () => 7)]])(
  'emits a 3 s window every second, the first of 2 s, for any block sizes',
  (lengths) => {
    expect(feed(lengths).map(shape)).toEqual([
      [0, 0, 200, 0, 199],
      [1, 0, 300, 0, 299],
      [2, 1, 300, 100, 399],
      [3, 2, 300, 200, 499],
      [4, 3, 300, 300, 599],
      [5, 4, 300, 400, 699],
    ]);
  },
);

test('emits the remainder at a pause, and no window spans it', () => {
  const found = feed([380, 320], (windows, i) => i === 0 && windows.flush());
  expect(found.map(shape)).toEqual([
    [0, 0, 200, 0, 199],
    [1, 0, 300, 0, 299],
    [2, 0.8, 300, 80, 379],
    [3, 3.8, 200, 380, 579],
    [4, 3.8, 300, 380, 679],
  ]);
});

test('emits a short recording as one window, and discards a remainder below the minimum', () => {
  expect(feed([120], (windows) => windows.flush()).map(shape)).toEqual([[0, 0, 120, 0, 119]]);
  expect(feed([220], (windows) => windows.flush()).map(shape)).toEqual([[0, 0, 200, 0, 199]]);
});
