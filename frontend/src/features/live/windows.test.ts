import { expect, test } from 'vitest';
import { Windows, type Window } from './windows';

const RATE = 100;

/** Samples that say their own number, so that every window shows what is in it. */
function hear(lengths: number[], between?: (windows: Windows, i: number) => void): Window[] {
  const found: Window[] = [];
  const windows = new Windows(RATE, (window) => found.push(window));
  let heard = 0;
  lengths.forEach((length, i) => {
    windows.push(Float32Array.from({ length }, (_, k) => heard + k));
    heard += length;
    between?.(windows, i);
  });
  return found;
}

const shape = ({ sequence, start, samples }: Window) => [sequence, start, samples.length, samples[0], samples.at(-1)];

test.each([[[700]], [[33, 267, 100, 300]], [Array.from({ length: 100 }, () => 7)]])(
  'windows of 3 s end every second, the first of 2 s, however the blocks come',
  (lengths) => {
    expect(hear(lengths).map(shape)).toEqual([
      [0, 0, 200, 0, 199],
      [1, 0, 300, 0, 299],
      [2, 1, 300, 100, 399],
      [3, 2, 300, 200, 499],
      [4, 3, 300, 300, 599],
      [5, 4, 300, 400, 699],
    ]);
  },
);

test('a pause hands out the rest, and no window reaches over it', () => {
  const found = hear([380, 320], (windows, i) => i === 0 && windows.cut());
  expect(found.map(shape)).toEqual([
    [0, 0, 200, 0, 199],
    [1, 0, 300, 0, 299],
    [2, 0.8, 300, 80, 379],
    [3, 3.8, 200, 380, 579],
    [4, 3.8, 300, 380, 679],
  ]);
});

test('what is short is a window of its own at the end, what is hardly anything is none', () => {
  expect(hear([120], (windows) => windows.cut()).map(shape)).toEqual([[0, 0, 120, 0, 119]]);
  expect(hear([220], (windows) => windows.cut()).map(shape)).toEqual([[0, 0, 200, 0, 199]]);
});
