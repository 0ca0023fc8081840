import { focusManager, onlineManager, QueryObserver } from '@tanstack/react-query';
import { http, HttpResponse } from 'msw';
import { afterEach, expect, test, vi } from 'vitest';
import { limits, problem, server } from '../../../tests/server';
import { limitsQuery } from './index';
import { newQueries } from './queries';

afterEach(() => onlineManager.setOnline(true));

test.each([
  ['no answer', () => HttpResponse.error(), 3],
  ['a fault of the server', () => problem('internal_error', 500, ''), 3],
  ['too much at once', () => HttpResponse.json({}, { status: 503, headers: { 'Retry-After': '30' } }), 1],
  ['a refusal', () => problem('not_found', 404, ''), 1],
])('%s is an error within 2 s', async (_, answer, attempts) => {
  const asked = vi.fn(answer);
  server.use(http.get('/api/v1/limits', asked));
  const began = performance.now();
  await expect(newQueries().fetchQuery(limitsQuery)).rejects.toThrow();
  expect(asked).toHaveBeenCalledTimes(attempts);
  expect(performance.now() - began).toBeLessThan(2000);
});

test('what passes by itself is not seen', async () => {
  server.use(http.get('/api/v1/limits', () => HttpResponse.error(), { once: true }));
  expect(await newQueries().fetchQuery(limitsQuery)).toEqual(limits);
});

test('what failed is asked for again when the person comes back, what is known is not', async () => {
  const answer = vi.fn(() => problem('not_found', 404, ''));
  server.use(http.get('/api/v1/limits', answer));
  const queries = newQueries();
  queries.mount();
  const observer = new QueryObserver(queries, limitsQuery);
  const leave = observer.subscribe(() => {});
  const comeBack = () => [false, true].forEach((here) => focusManager.setFocused(here));
  await vi.waitFor(() => expect(observer.getCurrentResult().isError).toBe(true));
  answer.mockImplementation(() => HttpResponse.json(limits) as never);
  comeBack();
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toEqual(limits));
  comeBack();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answer).toHaveBeenCalledTimes(2);
  leave();
  queries.unmount();
});

test('a browser that is offline asks the server all the same', async () => {
  onlineManager.setOnline(false);
  const queries = newQueries();
  expect(await queries.fetchQuery(limitsQuery)).toEqual(limits);
  const change = queries.getMutationCache().build(queries, { mutationFn: () => Promise.resolve('done') });
  expect(await change.execute(undefined)).toBe('done');
});
