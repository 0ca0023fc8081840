import { expect, test } from 'vitest';
import { fft, spectrogram, type Picture } from './spectrum';

const RATE = 16000;
const tone = (hertz: number, seconds = 1) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / RATE));
const loudest = ({ rows, columns, levels }: Picture, column: number) => {
  const values = Array.from({ length: rows }, (_, row) => levels[row * columns + column]!);
  return values.indexOf(Math.max(...values));
};

test('the FFT agrees with the definition of the DFT', () => {
  const re = Float64Array.from({ length: 16 }, (_, i) => Math.sin(i * i));
  const im = new Float64Array(16);
  const [x, y] = [re.slice(), im.slice()];
  fft(x, y);
  for (let k = 0; k < 16; k += 1) {
    const sum = (of: (angle: number) => number) => re.reduce((total, value, n) => total + value * of((2 * Math.PI * k * n) / 16), 0);
    expect(x[k]).toBeCloseTo(sum(Math.cos), 10);
    expect(y[k]).toBeCloseTo(-sum(Math.sin), 10);
  }
});

test('a tone appears at its frequency in every kind of spectrogram', () => {
  const wanted = { from: 0, to: 1, columns: 10 };
  const linear = spectrogram(tone(1000), RATE, { kind: 'stft', ...wanted });
  expect(loudest(linear, 5) / linear.rows).toBeCloseTo(1000 / 8000, 2);
  const mel = spectrogram(tone(1000), RATE, { kind: 'mel', ...wanted });
  expect(loudest(mel, 5) / mel.rows).toBeCloseTo(Math.log10(1 + 1000 / 700) / Math.log10(1 + 8000 / 700), 1);
  const note = (hertz: number) => loudest(spectrogram(tone(hertz), RATE, { kind: 'chroma', ...wanted }), 5);
  expect([note(440), note(880), note(523.25)]).toEqual([9, 9, 0]); // A, A, C
});

test('only the visible range is computed, and silence has level 0', () => {
  const samples = new Float32Array(3 * RATE);
  samples.set(tone(2000), RATE);
  const picture = spectrogram(samples, RATE, { kind: 'stft', from: 0.5, to: 2.5, columns: 20 });
  const level = (column: number) => picture.levels[(256 / 2) * picture.columns + column]!;
  expect([level(1), level(10), level(18)]).toEqual([0, 255, 0]);
  expect(spectrogram(new Float32Array(RATE), RATE, { kind: 'mel', from: 0, to: 1, columns: 4 }).levels.every((one) => one === 0)).toBe(
    true,
  );
});

test('half an hour is computed within seconds', () => {
  const long = new Float32Array(1800 * RATE);
  const began = performance.now();
  spectrogram(long, RATE, { kind: 'mel', from: 0, to: 1800, columns: 900 });
  expect(performance.now() - began).toBeLessThan(5000);
});
