import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, type ChunkAnswer } from '../../lib/api';
import { Microphone, MicrophoneError, type Listener } from '../../lib/audio/microphone';
import type { Engine } from './engine';
import { LiveSession, MOST_WAITING } from './session';

const RATE = 1000;
let listener: Listener;
const device = { sampleRate: RATE, close: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  vi.spyOn(Microphone, 'open').mockImplementation((_, given) => {
    listener = given;
    return Promise.resolve(device as unknown as Microphone);
  });
});
afterEach(() => vi.useRealTimers());

/** A fake engine that can be taken offline and records what it receives. */
function engineOf() {
  const state = { offline: false, refused: null as ApiError | null, chunks: [] as number[], ended: 0, marks: [] as unknown[] };
  const engine: Engine = {
    begin: () => Promise.resolve('one'),
    analyse: (_, { sequence, start, samples }) => {
      if (state.offline) return Promise.reject(new ApiError('network'));
      if (state.refused) return Promise.reject(state.refused);
      state.chunks.push(sequence);
      const answer: ChunkAnswer = {
        sequence,
        start,
        end: start + samples.length / RATE,
        state: 'emotion',
        emotion: 'happy',
        confidence: 70,
        probabilities: { happy: 0.7 },
        candidates: [],
        adapted_seconds: 0,
        speech: '',
      };
      return Promise.resolve(answer);
    },
    mark: (_, mark) => Promise.resolve(void state.marks.push(mark)),
    end: () => Promise.resolve(void (state.ended += 1)),
  };
  return { state, engine };
}

async function speak(seconds: number) {
  for (let i = 0; i < seconds; i += 1) {
    listener.onBlock(0.5, 0, new Float32Array(RATE));
    await vi.advanceTimersByTimeAsync(1000);
  }
}

async function begun(engine: Engine, keepAudio = false) {
  const session = new LiveSession(engine, { keepAudio });
  await session.start();
  return session;
}

test('sends one window per second, the first after two seconds', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(2);
  expect(state.chunks).toEqual([0]);
  await speak(5);
  expect(state.chunks).toEqual([0, 1, 2, 3, 4, 5]);
  expect(session.snapshot()).toMatchObject({ phase: 'recording', seconds: 7, waiting: 0, latest: { sequence: 5, end: 7 } });
});

test('delivers every window of half an hour exactly once despite a 30 s outage', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(60);
  state.offline = true;
  await speak(30);
  expect(session.snapshot()).toMatchObject({ waiting: 30, connectionError: { code: 'network' }, full: false });
  state.offline = false;
  await speak(1710);
  const ended = await session.end();
  expect(ended?.id).toBe('one');
  expect(state.chunks.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 1799 }, (_, i) => i));
  expect(state.ended).toBe(1);
});

test('records nothing while paused, and sends marks with their time', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(4);
  session.pause();
  await speak(5);
  await session.resume();
  await speak(3);
  session.mark('here');
  await vi.advanceTimersByTimeAsync(0);
  expect(session.snapshot().seconds).toBe(7);
  expect(state.chunks).toEqual([0, 1, 2, 3, 4]);
  expect(state.marks).toEqual([{ at: 7, note: 'here' }]);
});

test('pauses when too many windows are waiting, instead of losing audio', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  state.offline = true;
  await speak(MOST_WAITING + 10);
  expect(session.snapshot()).toMatchObject({ phase: 'paused', full: true, waiting: MOST_WAITING });
  await session.resume();
  expect(session.snapshot().phase).toBe('paused');
  state.offline = false;
  await vi.advanceTimersByTimeAsync(10_000);
  await session.resume();
  await speak(3);
  expect(state.chunks.toSorted((one, other) => one - other)).toEqual(Array.from({ length: MOST_WAITING + 2 }, (_, i) => i));
});

test('returns the recorded audio without the pauses, only if it was to be kept', async () => {
  const { engine } = engineOf();
  const session = await begun(engine, true);
  await speak(4);
  session.pause();
  await speak(5);
  await session.resume();
  await speak(2);
  listener.onLost();
  await session.resume();
  await speak(3);
  const file = (await session.end())?.file;
  expect([file?.name, file?.type, file?.size]).toEqual(['recording.wav', 'audio/wav', 44 + 2 * 9 * RATE]);
  expect((await (await begun(engine)).end())?.file).toBeUndefined();
});

test('reports a lost microphone, keeps its audio, and resumes with another one', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(4);
  listener.onBlock(0.5, 0, new Float32Array(0.6 * RATE));
  listener.onLost();
  await vi.advanceTimersByTimeAsync(0);
  expect(session.snapshot()).toMatchObject({ phase: 'paused', refusal: 'lost', seconds: 4.6 });
  expect(state.chunks).toEqual([0, 1, 2, 3]);
  vi.spyOn(Microphone, 'open').mockRejectedValueOnce(new MicrophoneError('none'));
  await session.resume();
  expect(session.snapshot()).toMatchObject({ phase: 'paused', refusal: 'none' });
  await session.resume();
  expect(Microphone.open).toHaveBeenLastCalledWith(null, expect.anything(), { keeps: false, sampleRate: RATE });
  expect(session.snapshot()).toMatchObject({ phase: 'recording', refusal: null });
  await speak(4);
  expect(state.chunks).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect((await session.end())?.id).toBe('one');
});

test('can be resumed with a new microphone or ended again after ending failed', async () => {
  const { state, engine } = engineOf();
  const end = vi.spyOn(engine, 'end').mockRejectedValueOnce(new ApiError('network'));
  const session = await begun(engine);
  await speak(3);
  expect(await session.end()).toBeNull();
  expect(session.snapshot()).toMatchObject({ phase: 'paused', error: { code: 'network' } });
  expect(device.close).toHaveBeenCalledOnce();
  await session.resume();
  expect(Microphone.open).toHaveBeenCalledTimes(2);
  expect(session.snapshot()).toMatchObject({ phase: 'recording', error: null });
  await speak(3);
  expect(state.chunks).toEqual([0, 1, 2, 3]);
  expect((await session.end())?.id).toBe('one');
  expect(end).toHaveBeenCalledTimes(2);
});

test('clears an error after the next success or when it is dismissed', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  state.refused = new ApiError('audio_unreadable', { status: 422 });
  await speak(3);
  expect(session.snapshot()).toMatchObject({ phase: 'recording', error: { code: 'audio_unreadable' } });
  session.dismiss();
  expect(session.snapshot().error).toBeNull();
  await speak(1);
  expect(session.snapshot().error).not.toBeNull();
  state.refused = null;
  await speak(1);
  expect(session.snapshot()).toMatchObject({ error: null, latest: { sequence: 3 } });
});

test.each([
  ['session_unknown', 404, 0],
  ['session_ended', 409, 1],
  ['profile_unknown', 404, 1],
])('ends after the permanent error %s', async (code, status, ended) => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(4);
  state.refused = new ApiError(code, { status });
  await speak(1);
  expect(session.snapshot()).toMatchObject({ phase: 'ended', error: { code } });
  expect(device.close).toHaveBeenCalledOnce();
  state.refused = null;
  await speak(5);
  await session.resume();
  expect(session.snapshot()).toMatchObject({ phase: 'ended', seconds: 5, waiting: 0 });
  expect(state.chunks).toEqual([0, 1, 2]);
  expect(await session.end()).toBeNull();
  expect(state.ended).toBe(ended);
});

test('reports a session that was deleted before it could be ended', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(4);
  state.refused = new ApiError('session_unknown', { status: 404 });
  listener.onBlock(0.5, 0, new Float32Array(0.6 * RATE)); // sent by end() as the last window
  expect(await session.end()).toBeNull();
  expect(session.snapshot()).toMatchObject({ phase: 'ended', error: { code: 'session_unknown' } });
  const other = await begun({ ...engine, end: () => Promise.reject(new ApiError('session_unknown', { status: 404 })) });
  expect(await other.end()).toBeNull();
  expect(other.snapshot()).toMatchObject({ phase: 'ended', error: { code: 'session_unknown' } });
});

test('ends the session and releases the device on unmount', async () => {
  const { state, engine } = engineOf();
  const session = await begun(engine);
  await speak(4);
  session.release();
  await vi.advanceTimersByTimeAsync(100);
  expect(device.close).toHaveBeenCalledOnce();
  expect(state.ended).toBe(1);
});

test('closes the microphone and the session on unmount before the server responded', async () => {
  const { state, engine } = engineOf();
  let answer: (id: string) => void = () => {};
  const session = new LiveSession({ ...engine, begin: () => new Promise((resolve) => (answer = resolve)) }, { keepAudio: false });
  const started = session.start();
  await vi.advanceTimersByTimeAsync(0);
  session.release();
  answer('late');
  await started;
  expect(device.close).toHaveBeenCalled();
  expect(state.ended).toBe(1);
});

test('analyses speech recorded before the server is ready', async () => {
  const { state, engine } = engineOf();
  let answer: (id: string) => void = () => {};
  const session = new LiveSession({ ...engine, begin: () => new Promise((resolve) => (answer = resolve)) }, { keepAudio: false });
  void session.start();
  await vi.advanceTimersByTimeAsync(0);
  await speak(4);
  expect(session.snapshot()).toMatchObject({ phase: 'recording', seconds: 4, waiting: 3 });
  expect(state.chunks).toEqual([]);
  answer('slow');
  await speak(1);
  expect(state.chunks).toEqual([0, 1, 2, 3]);
  expect((await session.end())?.id).toBe('slow');
});

test('tells an unavailable microphone from an unreachable server', async () => {
  vi.spyOn(Microphone, 'open').mockRejectedValueOnce(new MicrophoneError('none'));
  const { engine } = engineOf();
  expect((await begun(engine)).snapshot()).toMatchObject({ phase: 'idle', refusal: 'none' });
  const gone = await begun({ ...engine, begin: () => Promise.reject(new ApiError('network')) });
  expect(gone.snapshot()).toMatchObject({ phase: 'idle', error: { code: 'network' } });
  expect(device.close).toHaveBeenCalledOnce();
});
