import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useState, useSyncExternalStore, type RefObject } from 'react';
import WaveSurfer from 'wavesurfer.js';
import { token } from '../../components/Canvas';

export const WAVE_PIXELS = 84;
/** Sampling rate of the models, whose input ends at 8 kHz. */
export const DECODED_HERTZ = 16000;

export interface Sound {
  wave: WaveSurfer | null;
  playing: boolean;
  /** Decoded to mono at `DECODED_HERTZ`. */
  samples: Float32Array | null;
  /** Whether the browser cannot decode the format. */
  failed: boolean;
}

/** A playable waveform of the recording; destroyed when the component unmounts. */
export function useSound(file: File | undefined, container: RefObject<HTMLElement | null>): Sound {
  const [wave, setWave] = useState<WaveSurfer | null>(null);
  const [playing, setPlaying] = useState(false);
  const [samples, setSamples] = useState<Float32Array | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!container.current || !file) return;
    const created = WaveSurfer.create({
      container: container.current,
      height: WAVE_PIXELS,
      ...colours(),
      cursorWidth: 0,
      normalize: true,
      interact: false,
      autoScroll: false,
      hideScrollbar: true,
      sampleRate: DECODED_HERTZ,
    });
    created.on('play', () => setPlaying(true));
    created.on('pause', () => setPlaying(false));
    created.on('error', () => setFailed(true));
    created.loadBlob(file).then(
      () => {
        setWave(created);
        setSamples(mono(created.getDecodedData()));
      },
      () => setFailed(true),
    );
    return () => created.destroy();
  }, [file, container]);
  const scheme = useComputedColorScheme();
  useEffect(() => wave?.setOptions(colours()), [wave, scheme]);
  return { wave, playing, samples, failed };
}

function colours() {
  return { waveColor: token('--wave'), progressColor: token('--accent') };
}

/** Playback position in s; re-renders on every change. */
export function useTime(wave: WaveSurfer | null): number {
  return useSyncExternalStore(
    (listener) => wave?.on('timeupdate', listener) ?? (() => {}),
    () => wave?.getCurrentTime() ?? 0,
  );
}

function mono(buffer: AudioBuffer | null): Float32Array | null {
  if (!buffer) return null;
  const first = buffer.getChannelData(0);
  if (buffer.numberOfChannels === 1) return first;
  const second = buffer.getChannelData(1);
  return first.map((sample, i) => (sample + second[i]!) / 2);
}
