/** Computes spectrograms off the main thread, so that playback and zooming stay smooth. */
import { spectrogram, type Picture, type Wanted } from '../../lib/audio/spectrum';

export type WorkerRequest = { samples: Float32Array; sampleRate: number } | { wanted: Wanted };
export type WorkerResponse = { wanted: Wanted; picture: Picture };

let samples = new Float32Array();
let sampleRate = 16000;

self.onmessage = ({ data }: MessageEvent<WorkerRequest>) => {
  if ('samples' in data) {
    ({ samples, sampleRate } = data as { samples: Float32Array<ArrayBuffer>; sampleRate: number });
    return;
  }
  const picture = spectrogram(samples, sampleRate, data.wanted);
  self.postMessage({ wanted: data.wanted, picture } satisfies WorkerResponse, { transfer: [picture.levels.buffer] });
};
