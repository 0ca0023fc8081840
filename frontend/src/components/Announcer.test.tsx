import { act, render, screen } from '@testing-library/react';
import { globSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { announce, useAnnounced } from '../lib/announce';
import { Announcer } from './Announcer';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  act(() => void vi.runAllTimers()); // clears announcements of this test
  vi.useRealTimers();
});

const announced = () => Array.from(screen.getByRole('log').children, ({ textContent }) => textContent);

function Shows({ text, figure }: { text: string; figure: number }) {
  useAnnounced(text);
  return <p>{figure}</p>;
}

test('simultaneous and repeated announcements are all added in order, and removed later', () => {
  render(<Announcer />);
  expect(screen.getByRole('log')).toHaveAttribute('aria-live', 'polite');
  act(() => ['Recording.', 'Angry', 'Angry'].forEach(announce));
  expect(announced()).toEqual(['Recording.', 'Angry', 'Angry']);
  act(() => void vi.advanceTimersByTime(4000));
  act(() => announce('Sad'));
  act(() => void vi.advanceTimersByTime(1500));
  expect(announced()).toEqual(['Sad']);
});

test('a component is announced when its text changes, not on every render', () => {
  render(<Announcer />);
  const { rerender } = render(<Shows text="Angry" figure={84} />);
  rerender(<Shows text="Angry" figure={85} />);
  rerender(<Shows text="" figure={0} />);
  expect(announced()).toEqual(['Angry']);
  rerender(<Shows text="Sad" figure={70} />);
  expect(announced()).toEqual(['Angry', 'Sad']);
});

test('the page has no other polite live region', () => {
  const others = globSync('src/**/*.tsx').filter((file) => !/Announcer|\.test\./.test(file));
  expect(others.length).toBeGreaterThan(40);
  expect(others.filter((file) => /role="(status|log)"|aria-live|<output/.test(readFileSync(file, 'utf-8')))).toEqual([]);
});
