import { useCallback, useEffect, useRef, useState } from 'react';
import type { Limits } from '../../lib/api';
import { Microphone, MicrophoneError, microphones, type Refusal } from '../../lib/audio/microphone';
import { secondsThatFit } from '../../lib/audio/wav';

export type RecorderState =
  | { phase: 'idle' }
  | { phase: 'opening' }
  | { phase: 'recording' }
  /** `recording` holds the audio recorded before a microphone was lost. */
  | { phase: 'refused'; reason: Refusal; recording?: File };

const DEFAULT_MAX_SECONDS = 60; // until the server's limits are known

/** Makes one recording at a time, and releases the microphone on every exit path. */
export function useRecorder(limits: Limits | undefined, onRecorded: (file: File) => void) {
  const [state, setState] = useState<RecorderState>({ phase: 'idle' });
  const [level, setLevel] = useState(0);
  const [seconds, setSeconds] = useState(0);
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  const [deviceId, setDeviceId] = useState<string | null>(null);
  const open = useRef<Microphone | null>(null);
  const attempt = useRef(0); // a later start or a cancel invalidates an earlier start

  const release = useCallback(() => {
    attempt.current += 1;
    open.current?.close();
    open.current = null;
  }, []);
  useEffect(() => release, [release]);

  const cancel = useCallback(() => {
    release();
    setState({ phase: 'idle' });
  }, [release]);

  const stop = useCallback(async () => {
    const microphone = open.current;
    if (!microphone) return;
    open.current = null;
    const file = await microphone.stop();
    setState({ phase: 'idle' });
    onRecorded(file);
  }, [onRecorded]);

  /** The device was disconnected: keeps the audio until the user decides. */
  const handleLost = useCallback(async () => {
    const microphone = open.current;
    if (!microphone) return;
    open.current = null;
    setState({ phase: 'refused', reason: 'lost', recording: await microphone.stop() });
  }, []);

  const use = useCallback(
    (recording: File) => {
      setState({ phase: 'idle' });
      onRecorded(recording);
    },
    [onRecorded],
  );

  const start = useCallback(
    async (device: string | null = deviceId) => {
      release();
      const mine = attempt.current;
      setState({ phase: 'opening' });
      setLevel(0);
      setSeconds(0);
      const onBlock = (peak: number, recorded: number) => {
        setLevel(peak);
        setSeconds(recorded);
        const longest = limits
          ? Math.min(limits.max_audio_seconds, secondsThatFit(limits.max_upload_bytes - 2048, open.current?.sampleRate ?? 48000))
          : DEFAULT_MAX_SECONDS;
        if (recorded >= longest - 1) void stop();
      };
      try {
        const microphone = await Microphone.open(device, { onBlock, onLost: () => void handleLost() });
        if (mine !== attempt.current) return microphone.close();
        open.current = microphone;
        setState({ phase: 'recording' });
        setDevices(await microphones());
        setDeviceId(microphone.deviceId ?? null);
      } catch (error) {
        if (mine !== attempt.current) return;
        setState({ phase: 'refused', reason: error instanceof MicrophoneError ? error.reason : 'failed' });
      }
    },
    [deviceId, limits, release, stop, handleLost],
  );

  return { state, level, seconds, devices, deviceId, start, stop, use, cancel };
}
