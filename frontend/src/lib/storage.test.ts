import { expect, test, vi } from 'vitest';
import { lasting, remember, remembered } from './storage';

test("what is remembered is in the browser's storage", () => {
  expect(remembered('owner')).toBeNull();
  remember('owner', 'me');
  expect([remembered('owner'), localStorage.getItem('owner')]).toEqual(['me', 'me']);
  expect(lasting()).toBe(true);
});

test('where that is blocked or full, it is remembered all the same', () => {
  vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
    throw new DOMException('', 'SecurityError');
  });
  expect(remembered('language')).toBeNull();
  remember('language', 'hi');
  expect(remembered('language')).toBe('hi');
  expect(lasting()).toBe(false);
  vi.restoreAllMocks();
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('', 'QuotaExceededError');
  });
  remember('owner', 'me');
  expect(remembered('owner')).toBe('me');
  vi.restoreAllMocks();
  remember('owner', 'somebody else');
  expect(remembered('owner')).toBe('somebody else');
});
