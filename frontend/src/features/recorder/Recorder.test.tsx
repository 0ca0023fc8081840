import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renderPage } from '../../../tests/render';
import { limits } from '../../../tests/server';
import { Recorder } from './Recorder';

/** A fake worklet node whose samples the test sends. */
class FakeNode {
  static last: FakeNode;
  port = {
    onmessage: null as ((event: { data: { samples: Float32Array; last: boolean } }) => void) | null,
    postMessage: () => this.send([], true),
  };
  constructor() {
    FakeNode.last = this;
  }
  send(samples: number[], last = false) {
    this.port.onmessage?.({ data: { samples: Float32Array.from(samples), last } });
  }
}

const track = { stop: vi.fn(), addEventListener: vi.fn(), getSettings: () => ({ deviceId: 'one' }) };
const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
const closed = vi.fn(() => Promise.resolve());
const getUserMedia = vi.fn();

class FakeContext {
  sampleRate = 48000;
  state = 'running';
  audioWorklet = { addModule: () => Promise.resolve() };
  resume = () => Promise.resolve();
  close = closed;
  createMediaStreamSource = () => ({ connect: () => {} });
}

beforeEach(() => {
  track.stop.mockClear();
  closed.mockClear();
  getUserMedia.mockReset().mockResolvedValue(stream);
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('AudioContext', FakeContext);
  vi.stubGlobal('AudioWorkletNode', FakeNode);
  const devices = [
    { kind: 'audioinput', deviceId: 'one', label: 'Headset' },
    { kind: 'audioinput', deviceId: 'two', label: 'Built in' },
  ];
  vi.stubGlobal('navigator', {
    ...navigator,
    mediaDevices: { getUserMedia, enumerateDevices: () => Promise.resolve(devices) },
  });
});

afterEach(() => vi.unstubAllGlobals());

async function record(onRecorded = vi.fn()) {
  renderPage(<Recorder limits={limits} onRecorded={onRecorded} />);
  await userEvent.click(screen.getByRole('button', { name: 'Record' }));
  return onRecorded;
}

test('returns a WAV and releases the device on stop', async () => {
  const recorded = await record();
  await screen.findByRole('timer');
  act(() => FakeNode.last.send(Array.from({ length: 48000 }, () => 0.5)));
  expect(screen.getByRole('timer')).toHaveTextContent('0:01');
  expect(Number(screen.getByRole('meter').getAttribute('aria-valuenow'))).toBe(90);
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }));
  const [file] = recorded.mock.calls[0] as [File];
  expect([file.name, file.type, file.size]).toEqual(['recording.wav', 'audio/wav', 44 + 2 * 48000]);
  expect(track.stop).toHaveBeenCalledOnce();
  expect(closed).toHaveBeenCalledOnce();
});

test('turns off echo cancellation, noise suppression and gain control', async () => {
  await record();
  await screen.findByRole('timer');
  expect(getUserMedia).toHaveBeenCalledWith({
    audio: { deviceId: undefined, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
});

test('reports a lost microphone and offers the audio recorded so far', async () => {
  const recorded = await record();
  await screen.findByRole('timer');
  act(() => FakeNode.last.send([0.5, 0.5]));
  const lost = track.addEventListener.mock.lastCall?.[1] as () => void;
  await act(async () => lost());
  expect(await screen.findByRole('alert')).toHaveTextContent('The microphone was disconnected');
  expect(recorded).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole('button', { name: 'Use this recording' }));
  expect((recorded.mock.calls[0] as [File])[0].size).toBe(44 + 4);
  expect(screen.getByRole('button', { name: 'Record' })).toBeVisible();
});

test('discards the recording and releases the device on cancel', async () => {
  const recorded = await record();
  await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
  expect(await screen.findByRole('button', { name: 'Record' })).toBeVisible();
  expect(track.stop).toHaveBeenCalled();
  expect(recorded).not.toHaveBeenCalled();
});

test('releases the device on unmount', async () => {
  const { unmount } = renderPage(<Recorder limits={limits} onRecorded={vi.fn()} />);
  await userEvent.click(screen.getByRole('button', { name: 'Record' }));
  await screen.findByRole('timer');
  unmount();
  expect(track.stop).toHaveBeenCalled();
});

test('stops at the maximum length', async () => {
  const recorded = vi.fn();
  renderPage(<Recorder limits={{ ...limits, max_audio_seconds: 3 }} onRecorded={recorded} />);
  await userEvent.click(screen.getByRole('button', { name: 'Record' }));
  await screen.findByRole('timer');
  await act(async () => FakeNode.last.send(Array.from({ length: 2 * 48000 }, () => 0.1)));
  expect(recorded).toHaveBeenCalledOnce();
});

test.each([
  ['NotAllowedError', 'The microphone is blocked'],
  ['NotFoundError', 'No microphone was found'],
  ['NotReadableError', 'The microphone is in use'],
  ['AbortError', 'Recording could not start'],
])('explains %s', async (name, title) => {
  getUserMedia.mockRejectedValue(new DOMException('', name));
  await record();
  expect(await screen.findByRole('alert')).toHaveTextContent(title);
  expect(closed).toHaveBeenCalled();
});

test('explains an insecure address and an unsupported browser', async () => {
  vi.stubGlobal('isSecureContext', false);
  await record();
  expect(await screen.findByRole('alert')).toHaveTextContent('The microphone is not available at this address');
  vi.stubGlobal('isSecureContext', true);
  Reflect.deleteProperty(globalThis, 'AudioWorkletNode');
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('This browser cannot record audio')).toBeVisible();
});

test('switches to another microphone', async () => {
  await record();
  await userEvent.click(await screen.findByRole('combobox', { name: 'Microphone' }));
  await userEvent.click(await screen.findByRole('option', { name: 'Built in' }));
  expect(getUserMedia.mock.lastCall?.[0].audio.deviceId).toEqual({ exact: 'two' });
});
