/** WAV encoder: 16-bit PCM, mono, at the recording rate. The server resamples. */

const HEADER_BYTES = 44;
const FULL_SCALE = 32767;

export function encodeWav(blocks: Float32Array[], sampleRate: number): Blob {
  return joinWav(blocks.map(encodeSamples), sampleRate);
}

/** Encodes samples as 16-bit PCM, which halves the memory of a recording in progress. */
export function encodeSamples(block: Float32Array): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * block.length));
  block.forEach((sample, i) => view.setInt16(2 * i, Math.round(Math.max(-1, Math.min(1, sample)) * FULL_SCALE), true));
  return view;
}

/** Joins encoded blocks into a WAV. */
export function joinWav(blocks: DataView<ArrayBuffer>[], sampleRate: number): Blob {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  writeHeader(header, blocks.reduce((sum, { byteLength }) => sum + byteLength, 0) / 2, sampleRate);
  return new Blob([header, ...blocks], { type: 'audio/wav' });
}

function writeHeader(view: DataView<ArrayBuffer>, samples: number, sampleRate: number): void {
  const text = (at: number, word: string) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + 2 * samples, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); // bytes of the format chunk
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes per second
  view.setUint16(32, 2, true); // bytes per frame
  view.setUint16(34, 16, true); // bits per sample
  text(36, 'data');
  view.setUint32(40, 2 * samples, true);
}

/** Longest whole number of seconds whose WAV fits into `bytes`. */
export function secondsThatFit(bytes: number, sampleRate: number): number {
  return Math.floor((bytes - HEADER_BYTES) / (2 * sampleRate));
}
