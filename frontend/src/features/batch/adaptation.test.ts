import { expect, test, vi } from 'vitest';
import { happy, limits } from '../../../tests/server';
import { ApiError, type Prediction } from '../../lib/api';
import { groupOf, spread, suggestedAdaptation, TemporaryProfile, type ProfileRequests } from './adaptation';
import { Queue, type Settings } from './queue';

const clip = (path: string, bytes = 10) => ({ path, file: new File([new Uint8Array(bytes)], path.split('/').at(-1)!) });
const states = (queue: Queue) => queue.snapshot().map(({ state }) => state);
const refusal = (code: string, serverMessage: string) => new ApiError(code, { serverMessage, status: 422 });

/** A queue on a fake server, and a log of its requests: profiles made and deleted, and recordings with their profile. */
function batch(settings: Settings = {}, make: ProfileRequests['make'] = () => Promise.resolve(), onRequest?: (line: string) => void) {
  const log: string[] = [];
  const known = new Set<string>();
  const letters = new Map<string, string>(); // profile names are random
  const letter = (name: string) => letters.get(name) ?? letters.set(name, String.fromCharCode(65 + letters.size)).get(name)!;
  const predict = (file: File, signal: AbortSignal, speaker?: string) =>
    new Promise<Prediction>((resolve, reject) => {
      const line = `${file.name}${speaker ? ` as ${letter(speaker)}` : ''}`;
      log.push(line);
      queueMicrotask(() => onRequest?.(line));
      signal.addEventListener('abort', () => reject(new ApiError('cancelled')));
      if (speaker && !known.has(speaker)) reject(new ApiError('profile_unknown', { status: 404 }));
      else setTimeout(() => resolve({ ...happy, file: file.name, adapted_seconds: speaker ? 24 : 0 }));
    });
  const profiles: ProfileRequests = {
    make: async (name, files, signal, onSent) => {
      log.push(`make ${letter(name)}: ${files.map((file) => file.name).join(' ')}`);
      await make(name, files, signal, onSent);
      known.add(name);
    },
    remove: (name) => {
      log.push(`delete ${letter(name)}`);
      known.delete(name);
      return Promise.resolve();
    },
  };
  const queue = new Queue();
  const requests = { model: 'whisper', predict, profiles };
  queue.configure(requests, settings);
  return { log, known, queue, requests };
}

const settled = (queue: Queue) =>
  vi.waitFor(() => expect(states(queue).every((state) => state !== 'waiting' && state !== 'running')).toBe(true));

test('files from folders are adapted to by default, others are not', () => {
  expect(suggestedAdaptation(['a/1.wav', 'a/2.wav'])).toBe('folder');
  expect(suggestedAdaptation(['a/1.wav'])).toBe('off');
  expect(suggestedAdaptation(['1.wav', '2.wav'])).toBe('off');
  expect([groupOf('all/asha/1.wav', 'folder'), groupOf('1.wav', 'folder'), groupOf('a/1.wav', 'off')]).toEqual(['all/asha', null, null]);
  expect([groupOf('all/asha/1.wav', 'all'), groupOf('1.wav', 'all')]).toEqual(['', '']);
});

test('the recordings of a profile are spread evenly', () => {
  expect(spread([1, 2, 3], 20)).toEqual([1, 2, 3]);
  expect(spread([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 3)).toEqual([2, 6, 9]);
  expect(spread([], 20)).toEqual([]);
});

test('each folder has a profile of its own, one folder after another', async () => {
  const { log, known, queue } = batch();
  queue.add(['asha/1', 'ben/1', 'asha/2', 'ben/2', 'asha/3', 'asha/4', 'single/9', 'loose'].map((path) => clip(path)));
  expect(queue.adaptationStatus().preparing).toBe('asha');
  await settled(queue);
  const made = log.filter((line) => /make|delete/.test(line));
  expect(made.toSorted()).toEqual(['delete A', 'delete B', 'make A: 1 2 3 4', 'make B: 1 2']);
  expect(log.indexOf('make B: 1 2')).toBeGreaterThan(log.indexOf('4 as A'));
  expect(log.indexOf('delete A')).toBeGreaterThan(log.indexOf('4 as A'));
  expect(log).toEqual(expect.arrayContaining(['9', 'loose'])); // by themselves
  expect(queue.snapshot().map(({ prediction }) => prediction!.adapted_seconds)).toEqual([24, 24, 24, 24, 24, 24, 0, 0]);
  expect(known.size).toBe(0);
  expect(queue.adaptationStatus()).toEqual({ preparing: null, unadapted: [], undeleted: [] });
});

test('all files can be of one speaker, and files are analysed by themselves if the model has no profiles', async () => {
  const { log, queue, requests } = batch({ adaptation: 'all' });
  queue.add(['asha/1', '2'].map((path) => clip(path)));
  await settled(queue);
  expect(log).toEqual(['make A: 1 2', '1 as A', '2 as A', 'delete A']);
  queue.clear();
  queue.configure({ ...requests, profiles: undefined }, { adaptation: 'all' });
  queue.add(['asha/1', '2'].map((path) => clip(path)));
  await settled(queue);
  expect(log.slice(4)).toEqual(['1', '2']);
});

test('files are analysed without a profile, and the reason is known, if it cannot be made', async () => {
  const { log, queue } = batch({}, () => Promise.reject(refusal('quota_reached', 'You have 100 profiles.')));
  queue.add(['asha/1', 'asha/2'].map((path) => clip(path)));
  await settled(queue);
  expect(log).toEqual(['make A: 1 2', '1', '2']);
  expect(queue.adaptationStatus().unadapted).toMatchObject([{ group: 'asha', error: { code: 'quota_reached' } }]);
});

test('a profile leaves out recordings that the server refuses, and takes fewer if they are too long together', async () => {
  const { log, queue } = batch({}, (_, files) => {
    if (files.some(({ name }) => name === 'bad')) return Promise.reject(refusal('audio_unsupported', 'bad: This is not audio.'));
    if (files.length > 2) return Promise.reject(refusal('audio_too_long', 'The recordings are longer than 30 min in total.'));
    return Promise.resolve();
  });
  queue.add(['asha/1', 'asha/bad', 'asha/2', 'asha/3', 'asha/4'].map((path) => clip(path)));
  await settled(queue);
  expect(log.filter((line) => line.startsWith('make'))).toEqual(['make A: 1 bad 2 3 4', 'make A: 1 2 3 4', 'make A: 2 4']);
  expect(log).toContain('bad as A');
});

test('a profile stays below the upload limit, with at most twenty recordings', async () => {
  const { log, queue } = batch({ limits: { ...limits, max_upload_bytes: 20_000 } });
  queue.add(Array.from({ length: 9 }, (_, i) => clip(`asha/${i + 1}`, i === 0 ? 30_000 : 4000)));
  queue.add(Array.from({ length: 45 }, (_, i) => clip(`ben/${i + 1}`, 1)));
  await settled(queue);
  expect(log.find((line) => line.startsWith('make A'))).toBe('make A: 3 6 8');
  const { 1: names } = /^make B: (.*)$/m.exec(log.join('\n'))!;
  expect(names!.split(' ').length).toBeLessThanOrEqual(20);
  expect(states(queue)[0]).toBe('failed'); // too large by itself
});

test('cancelling while a profile is being made stops that, and deletes it if the server may have it', async () => {
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new ApiError('cancelled'))));
  const early = batch({}, (_name, _files, signal) => aborted(signal));
  early.queue.add(['asha/1', 'asha/2'].map((path) => clip(path)));
  early.queue.cancelAll();
  await settled(early.queue);
  await new Promise((resolve) => setTimeout(resolve));
  expect(early.log).toEqual(['make A: 1 2']);

  let answer = () => {};
  const late = batch({}, (_name, _files, _signal, onSent) => {
    onSent();
    return new Promise<void>((resolve) => (answer = resolve));
  });
  late.queue.add(['asha/1', 'asha/2'].map((path) => clip(path)));
  late.queue.cancelAll();
  answer();
  await vi.waitFor(() => expect(late.log).toEqual(['make A: 1 2', 'delete A']));
  expect(late.queue.adaptationStatus().preparing).toBeNull();
  expect(late.known.size).toBe(0);
});

test('cancelling, clearing and closing the page delete the profile of running files', async () => {
  for (const stop of [(queue: Queue) => queue.cancelAll(), (queue: Queue) => queue.clear(), (queue: Queue) => queue.abandon()]) {
    const { log, known, queue } = batch();
    queue.add(['asha/1', 'asha/2'].map((path) => clip(path)));
    await vi.waitFor(() => expect(log).toContain('2 as A'));
    stop(queue);
    await vi.waitFor(() => expect(known.size).toBe(0));
  }
});

test('retried files get a new profile, from all files of their group', async () => {
  const { log, queue } = batch();
  queue.add(['asha/1', 'asha/2', 'asha/3', 'asha/4'].map((path) => clip(path)));
  queue.cancel(2);
  await settled(queue);
  queue.retryAll();
  await settled(queue);
  expect(log.filter((line) => /make|as B/.test(line))).toEqual(['make A: 1 2 3 4', 'make B: 1 2 3 4', '2 as B']);
});

test('done files can be analysed again, with another setting', async () => {
  const { log, queue, requests } = batch();
  queue.add(['1', '2'].map((path) => clip(path)));
  await settled(queue);
  queue.configure(requests, { adaptation: 'all' });
  queue.repeat(new Set([1, 2]));
  expect(queue.snapshot().map(({ prediction }) => prediction)).toEqual([undefined, undefined]);
  await settled(queue);
  expect(log).toEqual(['1', '2', 'make A: 1 2', '1 as A', '2 as A', 'delete A']);
});

test('another model gets a profile of its own', async () => {
  const { log, queue, requests } = batch({}, undefined, (line) => {
    if (line === '3 as A') queue.configure({ ...requests, model: 'other' });
  });
  queue.add(['asha/1', 'asha/2', 'asha/3', 'asha/4', 'asha/5'].map((path) => clip(path)));
  await settled(queue);
  expect(log.filter((line) => line.includes('B'))).toEqual(['make B: 1 2 3 4 5', '4 as B', '5 as B', 'delete B']);
});

test('a profile deleted elsewhere is reported, and the files are analysed without it', async () => {
  const { log, known, queue } = batch({}, undefined, (line) => line === '1 as A' && known.clear());
  queue.add(['asha/1', 'asha/2', 'asha/3', 'asha/4', 'asha/5'].map((path) => clip(path)));
  await settled(queue);
  expect(states(queue)).toEqual(['done', 'done', 'done', 'done', 'done']);
  expect(log).toEqual(expect.arrayContaining(['4 as A', '4', '5']));
  expect(queue.adaptationStatus().unadapted).toMatchObject([{ group: 'asha', error: { code: 'profile_unknown' } }]);
});

test('a profile that cannot be deleted is named', async () => {
  const { queue, requests } = batch();
  const remove = () => Promise.reject(new ApiError('network'));
  queue.configure({ ...requests, profiles: { ...requests.profiles, remove } });
  queue.add(['asha/1', 'asha/2'].map((path) => clip(path)));
  await vi.waitFor(() => expect(queue.adaptationStatus().undeleted).toEqual([expect.stringMatching(/^batch [0-9a-f]{8}$/)]));
});

test('a busy server is asked again for a profile', async () => {
  const make = vi
    .fn<ProfileRequests['make']>()
    .mockRejectedValueOnce(new ApiError('too_busy', { status: 503, retryAfter: 0.01 }))
    .mockResolvedValue(undefined);
  const remove = vi.fn<ProfileRequests['remove']>().mockResolvedValue();
  const profile = new TemporaryProfile({ make, remove });
  await profile.make([clip('1'), clip('2')].map(({ file }) => file));
  expect(make).toHaveBeenCalledTimes(2);
  await profile.discard();
  expect(remove).toHaveBeenCalledExactlyOnceWith(profile.name);
});
