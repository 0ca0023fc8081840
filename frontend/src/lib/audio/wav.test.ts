import { expect, test } from 'vitest';
import { encodeWav, secondsThatFit } from './wav';

/** Reads a blob; jsdom's Blob lacks arrayBuffer(). */
function view(blob: Blob): Promise<DataView> {
  const reader = new FileReader();
  return new Promise((resolve) => {
    reader.onload = () => resolve(new DataView(reader.result as ArrayBuffer));
    reader.readAsArrayBuffer(blob);
  });
}

const word = (data: DataView, at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => data.getUint8(at + i)));

test('the header describes format and length', async () => {
  const data = await view(encodeWav([new Float32Array(100), new Float32Array(20)], 44100));
  expect([word(data, 0), word(data, 8), word(data, 12), word(data, 36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
  expect(data.byteLength).toBe(44 + 240);
  expect(data.getUint32(4, true)).toBe(data.byteLength - 8);
  expect(data.getUint16(20, true)).toBe(1);
  expect(data.getUint16(22, true)).toBe(1);
  expect(data.getUint32(24, true)).toBe(44100);
  expect(data.getUint32(28, true)).toBe(88200);
  expect(data.getUint32(40, true)).toBe(240);
});

test('samples keep their order and are clipped at full scale', async () => {
  const data = await view(encodeWav([Float32Array.of(0, 0.5, -0.5), Float32Array.of(1, -1, 7, -7)], 16000));
  const found = Array.from({ length: 7 }, (_, i) => data.getInt16(44 + 2 * i, true));
  expect(found).toEqual([0, 16384, -16383, 32767, -32767, 32767, -32767]);
});

test('secondsThatFit is the longest duration within the upload limit', () => {
  const seconds = secondsThatFit(25 * 2 ** 20, 48000);
  expect(44 + 2 * 48000 * seconds).toBeLessThanOrEqual(25 * 2 ** 20);
  expect(44 + 2 * 48000 * (seconds + 1)).toBeGreaterThan(25 * 2 ** 20);
});
