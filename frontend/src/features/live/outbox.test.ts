import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../lib/api';
import { Outbox } from './outbox';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const unreachable = () => new ApiError('network');

test('delivers every message exactly once despite a 30 s outage', async () => {
  let offline = false;
  const arrived: number[] = [];
  const outbox = new Outbox({ concurrency: 2, capacity: 100, onChange: () => {} });
  for (let second = 0; second < 60; second += 1) {
    offline = second >= 10 && second < 40;
    outbox.add({ send: () => (offline ? Promise.reject(unreachable()) : Promise.resolve(void arrived.push(second))), onRefused: () => {} });
    await vi.advanceTimersByTimeAsync(1000);
    if (second === 30) expect([outbox.size, outbox.lastError?.code]).toEqual([21, 'network']);
  }
  await vi.advanceTimersByTimeAsync(5000);
  expect(arrived.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  expect([outbox.size, outbox.lastError]).toEqual([0, null]);
});

test('honours Retry-After, then backs off exponentially', async () => {
  const times: number[] = [];
  const answers = [new ApiError('not_ready', { status: 503, retryAfter: 3 }), unreachable(), unreachable()];
  const outbox = new Outbox({ concurrency: 1, capacity: 10, onChange: () => {} });
  outbox.add({
    send: () => {
      times.push(Date.now());
      const next = answers.shift();
      return next ? Promise.reject(next) : Promise.resolve();
    },
    onRefused: () => {},
  });
  await vi.advanceTimersByTimeAsync(20_000);
  const waits = times.slice(1).map((time, i) => time - times[i]!);
  expect(waits).toEqual([3000, 1000, 2000]);
});

test('reports a permanently rejected message and sends the rest', async () => {
  const refused = vi.fn();
  const sent = vi.fn(() => Promise.resolve());
  const outbox = new Outbox({ concurrency: 1, capacity: 10, onChange: () => {} });
  outbox.add({
    send: () => Promise.reject(new ApiError('chunk_conflict', { serverMessage: 'Another one came.', status: 409 })),
    onRefused: refused,
  });
  outbox.add({ send: sent, onRefused: refused });
  await outbox.drained();
  expect(refused).toHaveBeenCalledOnce();
  expect(sent).toHaveBeenCalledOnce();
});

test('limits its size and the number of concurrent requests', async () => {
  let [running, peak] = [0, 0];
  const send = async () => {
    peak = Math.max(peak, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    running -= 1;
  };
  const outbox = new Outbox({ concurrency: 3, capacity: 5, onChange: () => {} });
  const accepted = Array.from({ length: 7 }, () => outbox.add({ send, onRefused: () => {} }));
  expect(accepted).toEqual([true, true, true, true, true, false, false]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(peak).toBe(3);
  await outbox.drained();
});

test('does not retry after being closed', async () => {
  const send = vi.fn(() => Promise.reject(unreachable()));
  const outbox = new Outbox({ concurrency: 1, capacity: 5, onChange: () => {} });
  outbox.add({ send, onRefused: () => {} });
  outbox.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(send).toHaveBeenCalledOnce();
});
