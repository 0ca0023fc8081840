import { act, render, screen } from '@testing-library/react';
import { globSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { announce, useAnnounced } from '../lib/announce';
import { Announcer } from './Announcer';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  act(() => void vi.runAllTimers()); // so that nothing is left for the next test
  vi.useRealTimers();
});

const said = () => Array.from(screen.getByRole('log').children, ({ textContent }) => textContent);

function Shows({ text, figure }: { text: string; figure: number }) {
  useAnnounced(text);
  return <p>{figure}</p>;
}

test('what happens at once is said one after the other, the same twice is said twice, and all of it is cleared away', () => {
  render(<Announcer />);
  expect(screen.getByRole('log')).toHaveAttribute('aria-live', 'polite');
  act(() => ['Recording.', 'Angry', 'Angry'].forEach(announce));
  expect(said()).toEqual(['Recording.', 'Angry', 'Angry']);
  act(() => void vi.advanceTimersByTime(4000));
  act(() => announce('Sad'));
  act(() => void vi.advanceTimersByTime(1500));
  expect(said()).toEqual(['Sad']);
});

test('a component is heard when its text becomes something else, not when it is drawn anew', () => {
  render(<Announcer />);
  const { rerender } = render(<Shows text="Angry" figure={84} />);
  rerender(<Shows text="Angry" figure={85} />);
  rerender(<Shows text="" figure={0} />);
  expect(said()).toEqual(['Angry']);
  rerender(<Shows text="Sad" figure={70} />);
  expect(said()).toEqual(['Angry', 'Sad']);
});

test('nothing else on the page is a polite live region', () => {
  const others = globSync('src/**/*.tsx').filter((file) => !/Announcer|\.test\./.test(file));
  expect(others.length).toBeGreaterThan(40);
  expect(others.filter((file) => /role="(status|log)"|aria-live|<output/.test(readFileSync(file, 'utf-8')))).toEqual([]);
});
