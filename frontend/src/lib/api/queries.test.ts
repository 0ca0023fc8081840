import { focusManager, onlineManager, QueryObserver } from '@tanstack/react-query';
import { http, HttpResponse } from 'msw';
import { afterEach, expect, test, vi } from 'vitest';
import { limits, problem, server } from '../../../tests/server';
import { limitsQuery } from './index';
import { newQueries } from './queries';

afterEach(() => onlineManager.setOnline(true));

test.each([
  ['no response', () => HttpResponse.error(), 3],
  ['a server error', () => problem('internal_error', 500, ''), 3],
  ['an overloaded server', () => HttpResponse.json({}, { status: 503, headers: { 'Retry-After': '30' } }), 1],
  ['a client error', () => problem('not_found', 404, ''), 1],
])('%s is reported within 2 s', async (_, answer, attempts) => {
  const asked = vi.fn(answer);
  server.use(http.get('/api/v1/limits', asked));
  const began = performance.now();
  await expect(newQueries().fetchQuery(limitsQuery)).rejects.toThrow();
  expect(asked).toHaveBeenCalledTimes(attempts);
  expect(performance.now() - began).toBeLessThan(2000);
});

test('a transient failure is retried without an error', async () => {
  server.use(http.get('/api/v1/limits', () => HttpResponse.error(), { once: true }));
  expect(await newQueries().fetchQuery(limitsQuery)).toEqual(limits);
});

test('a failed query is refetched when the window regains focus, a successful one is not', async () => {
  const answer = vi.fn(() => problem('not_found', 404, ''));
  server.use(http.get('/api/v1/limits', answer));
  const queries = newQueries();
  queries.mount();
  const observer = new QueryObserver(queries, limitsQuery);
  const unsubscribe = observer.subscribe(() => {});
  const refocus = () => [false, true].forEach((here) => focusManager.setFocused(here));
  await vi.waitFor(() => expect(observer.getCurrentResult().isError).toBe(true));
  answer.mockImplementation(() => HttpResponse.json(limits) as never);
  refocus();
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toEqual(limits));
  refocus();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answer).toHaveBeenCalledTimes(2);
  unsubscribe();
  queries.unmount();
});

test('requests are sent even if the browser reports being offline', async () => {
  onlineManager.setOnline(false);
  const queries = newQueries();
  expect(await queries.fetchQuery(limitsQuery)).toEqual(limits);
  const change = queries.getMutationCache().build(queries, { mutationFn: () => Promise.resolve('done') });
  expect(await change.execute(undefined)).toBe('done');
});
