/** Spectrograms of the visible range, with as many columns as fit, so that the cost does not grow with the recording. */

export type Kind = 'mel' | 'stft' | 'chroma';

export interface Wanted {
  kind: Kind;
  /** s */
  from: number;
  /** s */
  to: number;
  columns: number;
}

/** Levels (rows, columns), lowest frequency first, in dB relative to the loudest in view: 255 is the loudest, 0 the bottom of the range. */
export interface Picture {
  rows: number;
  columns: number;
  levels: Uint8Array;
}

const WINDOW_SAMPLES = 1024; // 64 ms at 16 kHz, as in the backend
const RANGE_DECIBELS = 80;
const CHROMA_DECIBELS = 24; // levels differ less between pitch classes
const FRAMES_PER_COLUMN = 3; // averaged where a column spans more than one window
const MELS = 96;
const NOTES = 12;
const CHROMA_HERTZ = [60, 2000] as const; // range of voice harmonics
const A4_HERTZ = 440;
const TINY = 1e-14;
const SILENT = 1e-4; // power of a tone at -120 dB; keeps near-silent views dark instead of amplifying noise

export function spectrogram(samples: Float32Array, sampleRate: number, { kind, from, to, columns }: Wanted): Picture {
  const bins = WINDOW_SAMPLES / 2;
  const rows = kind === 'stft' ? bins : kind === 'mel' ? MELS : NOTES;
  const bands = kind === 'stft' ? null : kind === 'mel' ? melBands(sampleRate) : chromaBands(sampleRate);
  const power = new Float32Array(rows * columns);
  const width = ((to - from) * sampleRate) / columns;
  const looks = Math.min(FRAMES_PER_COLUMN, Math.max(1, Math.round((2 * width) / WINDOW_SAMPLES)));
  for (let column = 0; column < columns; column += 1) {
    const sum = new Float64Array(bins);
    for (let look = 0; look < looks; look += 1) {
      const centre = from * sampleRate + (column + (look + 0.5) / looks) * width;
      addPower(samples, Math.round(centre - WINDOW_SAMPLES / 2), sum);
    }
    for (let row = 0; row < rows; row += 1) {
      power[row * columns + column] = (bands ? weighed(sum, bands[row]!) : sum[row]!) / looks;
    }
  }
  return { rows, columns, levels: toLevels(power, rangeOf(kind)) };
}

/** Pitch classes of a chromagram, lowest row first. */
export const NOTE_NAMES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];

/** Converts a level to dB relative to the loudest in view. */
export function decibels(kind: Kind, level: number): number {
  return (level / 255 - 1) * rangeOf(kind);
}

/** Height of a frequency in a spectrogram, 0 at the bottom to 1 at the top. */
export function heightOf(kind: Exclude<Kind, 'chroma'>, hertz: number, sampleRate: number): number {
  const top = sampleRate / 2;
  return kind === 'mel' ? mel(hertz) / mel(top) : hertz / top;
}

function rangeOf(kind: Kind): number {
  return kind === 'chroma' ? CHROMA_DECIBELS : RANGE_DECIBELS;
}

/** Axis labels of a spectrogram, in kHz or as pitch classes, with their heights from 0 to 1. */
export function marks(kind: Kind, sampleRate: number): { text: string; height: number }[] {
  if (kind === 'chroma') {
    return NOTE_NAMES.map((text, i) => ({ text, height: (i + 0.5) / NOTES })).filter(({ text }) => text.length === 1);
  }
  const top = sampleRate / 2;
  return [500, 1000, 2000, 4000, 6000]
    .filter((hertz) => hertz < top && (kind === 'mel' ? hertz !== 6000 : hertz !== 500))
    .map((hertz) => ({ text: `${hertz / 1000}k`, height: heightOf(kind, hertz, sampleRate) }));
}

interface Band {
  first: number;
  weights: number[];
}

const cache = new Map<string, Band[]>();

/** Triangular filters of equal width in mel (2595 log10(1 + f / 700), O'Shaughnessy 1987), each normalised to sum 1. */
function melBands(sampleRate: number): Band[] {
  return cached(`mel ${sampleRate}`, () => {
    const top = mel(sampleRate / 2);
    const edge = (i: number) => (hertz((top * i) / (MELS + 1)) * WINDOW_SAMPLES) / sampleRate; // in bins
    return Array.from({ length: MELS }, (_, i) => triangle(edge(i), edge(i + 1), edge(i + 2)));
  });
}

/** Assigns every bin to the nearest pitch class. */
function chromaBands(sampleRate: number): Band[] {
  return cached(`chroma ${sampleRate}`, () => {
    const bands = Array.from({ length: NOTES }, (): Band => ({ first: 0, weights: Array<number>(WINDOW_SAMPLES / 2).fill(0) }));
    for (let bin = 1; bin < WINDOW_SAMPLES / 2; bin += 1) {
      const frequency = (bin * sampleRate) / WINDOW_SAMPLES;
      if (frequency < CHROMA_HERTZ[0] || frequency > CHROMA_HERTZ[1]) continue;
      const note = Math.round(NOTES * Math.log2(frequency / A4_HERTZ)) + 9; // C is 0
      bands[((note % NOTES) + NOTES) % NOTES]!.weights[bin] = 1;
    }
    return bands;
  });
}

function triangle(low: number, peak: number, high: number): Band {
  const first = Math.max(0, Math.floor(low));
  const last = Math.min(WINDOW_SAMPLES / 2 - 1, Math.ceil(high));
  const weights = Array.from({ length: last - first + 1 }, (_, i) => {
    const bin = first + i;
    return Math.max(0, Math.min((bin - low) / (peak - low), (high - bin) / (high - peak)));
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  // at low frequencies a triangle can be narrower than a bin; use the nearest bin then
  return sum > 0 ? { first, weights: weights.map((weight) => weight / sum) } : { first: Math.round(peak), weights: [1] };
}

function weighed(power: Float64Array, { first, weights }: Band): number {
  return weights.reduce((sum, weight, i) => sum + weight * (power[first + i] ?? 0), 0);
}

function mel(frequency: number): number {
  return 2595 * Math.log10(1 + frequency / 700);
}

function hertz(value: number): number {
  return 700 * (10 ** (value / 2595) - 1);
}

function toLevels(power: Float32Array, range: number): Uint8Array {
  let most = SILENT;
  for (const value of power) most = Math.max(most, value);
  return Uint8Array.from(power, (value) => {
    const decibels = 10 * Math.log10(Math.max(value, TINY) / most);
    return Math.round(255 * Math.max(0, 1 + decibels / range));
  });
}

const hann = Float64Array.from({ length: WINDOW_SAMPLES }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW_SAMPLES));
const real = new Float64Array(WINDOW_SAMPLES);
const imaginary = new Float64Array(WINDOW_SAMPLES);

/** Adds the power spectrum of the window at `start` to `sum`; samples out of range count as 0. */
function addPower(samples: Float32Array, start: number, sum: Float64Array): void {
  for (let i = 0; i < WINDOW_SAMPLES; i += 1) {
    real[i] = (samples[start + i] ?? 0) * hann[i]!;
    imaginary[i] = 0;
  }
  fft(real, imaginary);
  for (let bin = 0; bin < sum.length; bin += 1) sum[bin]! += real[bin]! ** 2 + imaginary[bin]! ** 2;
}

/** In-place radix-2 FFT (Cooley and Tukey 1965); the length must be a power of two. */
export function fft(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let half = 1; half < size; half *= 2) butterflies(re, im, half);
}

function butterflies(re: Float64Array, im: Float64Array, half: number): void {
  for (let k = 0; k < half; k += 1) {
    const cos = Math.cos((Math.PI * k) / half);
    const sin = -Math.sin((Math.PI * k) / half);
    for (let i = k; i < re.length; i += 2 * half) {
      const j = i + half;
      const x = re[j]! * cos - im[j]! * sin;
      const y = re[j]! * sin + im[j]! * cos;
      re[j] = re[i]! - x;
      im[j] = im[i]! - y;
      re[i]! += x;
      im[i]! += y;
    }
  }
}

function cached(name: string, make: () => Band[]): Band[] {
  const known = cache.get(name) ?? make();
  cache.set(name, known);
  return known;
}
