import { expect, test, vi } from 'vitest';
import { lasting, remember, remembered } from './storage';

test('values are stored in localStorage', () => {
  expect(remembered('owner')).toBeNull();
  remember('owner', 'me');
  expect([remembered('owner'), localStorage.getItem('owner')]).toEqual(['me', 'me']);
  expect(lasting()).toBe(true);
});

test('values are held in memory if localStorage is blocked or full', () => {
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
