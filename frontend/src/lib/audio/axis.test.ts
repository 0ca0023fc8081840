import { expect, test } from 'vitest';
import { panned, share, showing, ticks, whole, zoomed } from './axis';

test('zooming keeps the time under the pointer in place', () => {
  const view = zoomed({ from: 10, to: 30 }, 0.5, 15, 60);
  expect(view).toEqual({ from: 12.5, to: 22.5 });
  expect(share(view, 15)).toBeCloseTo(share({ from: 10, to: 30 }, 15));
});

test('zoom is limited to the whole recording and to a quarter of a second', () => {
  expect(zoomed({ from: 10, to: 30 }, 100, 15, 60)).toEqual({ from: 0, to: 60 });
  const close = zoomed({ from: 10, to: 11 }, 0.001, 10.5, 60);
  expect(close.to - close.from).toBeCloseTo(0.25);
});

test('panning stays within the recording', () => {
  expect(panned({ from: 10, to: 30 }, -20, 60)).toEqual({ from: 0, to: 20 });
  expect(panned({ from: 10, to: 30 }, 100, 60)).toEqual({ from: 40, to: 60 });
});

test('showing scrolls only if the time is out of view', () => {
  expect(showing({ from: 10, to: 30 }, 12, 60)).toEqual({ from: 10, to: 30 });
  expect(showing({ from: 10, to: 30 }, 31, 60)).toEqual({ from: 31, to: 51 });
});

test('ticks are round numbers and limited in count', () => {
  expect(ticks({ from: 0, to: 20.7 }, 6)).toEqual([0, 5, 10, 15, 20]);
  expect(ticks({ from: 1.03, to: 1.5 }, 5)).toEqual([1.1, 1.2, 1.3, 1.4, 1.5]);
  expect(ticks({ from: 0, to: 1800 }, 8)).toEqual([0, 300, 600, 900, 1200, 1500, 1800]);
  expect(whole(0).to).toBeGreaterThan(0);
});
