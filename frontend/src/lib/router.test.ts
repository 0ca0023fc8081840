import { act, renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';
import { navigate, usePlace } from './router';

test("navigation and the browser's back button update the location", async () => {
  const { result } = renderHook(usePlace);
  act(() => navigate('/sessions'));
  act(() => navigate('/?session=7'));
  expect([result.current.path, result.current.query.get('session')]).toEqual(['/', '7']);
  await act(async () => {
    window.history.back();
    await new Promise((resolve) => window.addEventListener('popstate', resolve, { once: true }));
  });
  expect(result.current.path).toBe('/sessions');
});

test('navigating to the same address, or with replace, adds no history entry', () => {
  navigate('/about');
  const { length } = window.history;
  navigate('/about');
  navigate('/live', { replace: true });
  expect(window.history.length).toBe(length);
});
