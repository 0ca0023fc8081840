import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../lib/api';
import { Outbox } from './outbox';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const gone = () => new ApiError('network');

test('an outage of 30 s loses nothing and doubles nothing', async () => {
  let away = false;
  const arrived: number[] = [];
  const outbox = new Outbox({ atOnce: 2, most: 100, onChange: () => {} });
  for (let second = 0; second < 60; second += 1) {
    away = second >= 10 && second < 40;
    outbox.add({ send: () => (away ? Promise.reject(gone()) : Promise.resolve(void arrived.push(second))), onRefused: () => {} });
    await vi.advanceTimersByTimeAsync(1000);
    if (second === 30) expect([outbox.size, outbox.trouble?.code]).toEqual([21, 'network']);
  }
  await vi.advanceTimersByTimeAsync(5000);
  expect(arrived.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  expect([outbox.size, outbox.trouble]).toEqual([0, null]);
});

test('what the server asks to wait is waited, and waits grow', async () => {
  const times: number[] = [];
  const answers = [new ApiError('not_ready', { status: 503, retryAfter: 3 }), gone(), gone()];
  const outbox = new Outbox({ atOnce: 1, most: 10, onChange: () => {} });
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

test('what will never be taken is handed back, and the rest goes on', async () => {
  const refused = vi.fn();
  const sent = vi.fn(() => Promise.resolve());
  const outbox = new Outbox({ atOnce: 1, most: 10, onChange: () => {} });
  outbox.add({
    send: () => Promise.reject(new ApiError('chunk_conflict', { said: 'Another one came.', status: 409 })),
    onRefused: refused,
  });
  outbox.add({ send: sent, onRefused: refused });
  await outbox.drained();
  expect(refused).toHaveBeenCalledOnce();
  expect(sent).toHaveBeenCalledOnce();
});

test('a full outbox says so, and a few go out at once', async () => {
  let [now, most] = [0, 0];
  const send = async () => {
    most = Math.max(most, (now += 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    now -= 1;
  };
  const outbox = new Outbox({ atOnce: 3, most: 5, onChange: () => {} });
  const taken = Array.from({ length: 7 }, () => outbox.add({ send, onRefused: () => {} }));
  expect(taken).toEqual([true, true, true, true, true, false, false]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(most).toBe(3);
  await outbox.drained();
});

test('a closed outbox tries nothing again', async () => {
  const send = vi.fn(() => Promise.reject(gone()));
  const outbox = new Outbox({ atOnce: 1, most: 5, onChange: () => {} });
  outbox.add({ send, onRefused: () => {} });
  outbox.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(send).toHaveBeenCalledOnce();
});
