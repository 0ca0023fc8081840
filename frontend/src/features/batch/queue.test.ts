import { expect, test, vi } from 'vitest';
import { happy, model } from '../../../tests/server';
import { ApiError, type Prediction } from '../../lib/api';
import { looksLikeAudio } from './files';
import { Queue, type Item } from './queue';
import { matchLabels, readLabels } from './scores';
import { modelNames, sortAndFilter, compareWithLabels, distribution, toCsv } from './table';

const named = (path: string) => ({ path, file: new File([new Uint8Array(10)], path) });
const states = (queue: Queue) => queue.snapshot().map(({ state }) => state);

/** A queue whose requests the test settles by hand. */
function controlled() {
  const open: { name: string; done: (error?: Error) => void; signal: AbortSignal }[] = [];
  const predict = (file: File, signal: AbortSignal) =>
    new Promise<Prediction>((resolve, reject) => {
      open.push({ name: file.name, signal, done: (error) => (error ? reject(error) : resolve({ ...happy, file: file.name })) });
    });
  const queue = new Queue();
  queue.configure({ predict });
  return { open, queue };
}

test('at most three requests run at once, one per file', async () => {
  const { open, queue } = controlled();
  queue.add(['a', 'b', 'c', 'd'].map(named));
  expect(states(queue)).toEqual(['running', 'running', 'running', 'waiting']);
  open[1]!.done();
  await vi.waitFor(() => expect(states(queue)).toEqual(['running', 'done', 'running', 'running']));
  expect(open.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
});

test('a failed file keeps its error and can be retried', async () => {
  const { open, queue } = controlled();
  queue.add(['a', 'b'].map(named));
  open[0]!.done(new ApiError('audio_unsupported', { serverMessage: 'This is text.', status: 422 }));
  open[1]!.done();
  await vi.waitFor(() => expect(states(queue)).toEqual(['failed', 'done']));
  expect(queue.snapshot()[0]!.error?.message).toBe('This is text.');
  queue.retryAll();
  open[2]!.done();
  await vi.waitFor(() => expect(states(queue)).toEqual(['done', 'done']));
  expect(open.map(({ name }) => name)).toEqual(['a', 'b', 'a']);
});

test('cancelling aborts requests, and late responses are ignored', async () => {
  const { open, queue } = controlled();
  queue.add(['a', 'b', 'c', 'd'].map(named));
  queue.cancelAll();
  expect(states(queue)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  expect(open.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  open.forEach(({ done }) => done());
  await new Promise((resolve) => setTimeout(resolve));
  expect(states(queue)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
});

test('a request to a busy server is retried, and a file above the limit is not sent', async () => {
  const predict = vi
    .fn<(file: File) => Promise<Prediction>>()
    .mockRejectedValueOnce(new ApiError('not_ready', { status: 503, retryAfter: 0.01 }))
    .mockResolvedValue(happy);
  const queue = new Queue();
  queue.add([named('a')]);
  expect(states(queue)).toEqual(['waiting']); // until the model is known
  queue.configure({ predict });
  await vi.waitFor(() => expect(states(queue)).toEqual(['done']));
  expect(predict).toHaveBeenCalledTimes(2);
  queue.configure({ predict }, { limits: { max_upload_bytes: 5, max_audio_seconds: 1, min_audio_seconds: 0, formats: [] } });
  queue.add([named('large')]);
  await vi.waitFor(() => expect(states(queue)).toEqual(['done', 'failed']));
  expect(predict).toHaveBeenCalledTimes(2);
});

const item = (id: number, path: string, part: Partial<Prediction>): Item => ({
  ...named(path),
  id,
  state: 'done',
  prediction: { ...happy, ...part },
});
const items = [
  item(1, 'ten10.wav', { emotion: 'sad', confidence: 90, adapted_seconds: 24.3 }),
  item(2, 'ten9.wav', { emotion: 'happy', confidence: 40, state: 'unsure' }),
  item(3, 'x/quiet.wav', { emotion: null, confidence: null, state: 'no_speech' }),
  { ...named('bad.wav'), id: 4, state: 'failed', error: new ApiError('audio_empty', { serverMessage: 'It is empty.' }) } as Item,
];

test('rows are sorted, filtered and counted', () => {
  const names = (...rest: Parameters<typeof sortAndFilter> extends [unknown, ...infer Rest] ? Rest : never) =>
    sortAndFilter(items, ...rest).map(({ id }) => id);
  expect(names({ column: 'file', down: false }, 'all', '')).toEqual([4, 2, 1, 3]);
  expect(names({ column: 'confidence', down: true }, 'all', '')).toEqual([1, 2, 3, 4]);
  expect(names({ column: 'file', down: false }, 'failed', '')).toEqual([4]);
  expect(names({ column: 'file', down: false }, 'sad', '')).toEqual([1]);
  expect(names({ column: 'file', down: false }, 'all', 'QUIET')).toEqual([3]);
  expect(distribution(items)).toEqual([
    { key: 'sad', count: 1 },
    { key: 'unsure', count: 1 },
    { key: 'no_speech', count: 1 },
  ]);
});

const truths = (labels: string) => matchLabels(items, readLabels(labels)!);

test('the CSV has a line for every file, with errors, models and labels', () => {
  const lines = toCsv(items, truths('ten10.wav,sad'), [model]).trimEnd().split('\r\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^file,state,emotion,confidence,candidates,model,model_title,.*,error,label$/);
  expect(lines[0]).toContain(',speech_seconds,adapted_seconds,warnings,');
  expect(lines[1]).toMatch(/^ten10.wav,emotion,sad,90,,cnn1d,1D-CNN,3.6,2.1,24.3,.*,sad$/);
  expect(lines[4]).toMatch(/^bad.wav,failed,.*It is empty.,$/);
  expect(toCsv(items, truths('a/ten10.wav,sad\nb/ten10.wav,happy'), []).split('\r\n')[1]).toMatch(/,cnn1d,cnn1d,.*,ambiguous$/);
});

test('results are compareWithLabels with unambiguous labels only', () => {
  expect(compareWithLabels(items, truths('ten10.wav,sad'), [model])).toMatchObject({
    adapted: 1,
    unlabelled: 2,
    ambiguous: 0,
    outside: 0,
    report: { wa: 1, total: 1 },
  });
  const unclear = compareWithLabels(items, truths('a/ten10.wav,sad\nb/ten10.wav,happy\nten9.wav,fear'), [model]);
  expect(unclear).toEqual({ report: null, adapted: 0, unlabelled: 1, ambiguous: 1, outside: 1 });
});

test('each result is compareWithLabels using the classes of its own model', () => {
  const eight = { ...model, name: 'eight', labels: ['calm' as const, 'neutral' as const] };
  const four = { ...model, name: 'four', labels: ['neutral' as const] };
  const calm = [item(1, 'one.wav', { emotion: 'calm', model: 'eight' }), item(2, 'two.wav', { emotion: 'neutral', model: 'four' })];
  const labels = matchLabels(calm, readLabels('one.wav,calm\ntwo.wav,calm')!);
  expect(compareWithLabels(calm, labels, [eight, four]).report).toMatchObject({ labels: ['calm', 'neutral'], wa: 1 });
  expect(modelNames(calm)).toEqual(['eight', 'four']);
});

test('a label that was not among the emotions to choose from is left out', () => {
  const among = [item(1, 'one.wav', { emotion: 'happy', emotions: ['angry', 'happy'] }), item(2, 'two.wav', { emotion: 'happy' })];
  const labels = matchLabels(among, readLabels('one.wav,sad\ntwo.wav,sad')!);
  expect(compareWithLabels(among, labels, [model])).toMatchObject({ outside: 1, report: { total: 1, wa: 0 } });
});

test('only files with an audio extension are taken from folders', () => {
  expect(['a.WAV', 'b.opus', '.hidden.wav', 'notes.txt', 'wav'].map(looksLikeAudio)).toEqual([true, true, false, false, false]);
});
