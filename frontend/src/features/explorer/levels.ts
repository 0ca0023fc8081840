/** A spectrogram in few numbers, for the table behind it. */
import type { View } from '../../lib/axis';
import { number } from '../../lib/format';
import { words } from '../../lib/language';
import { spectrogram } from '../../lib/spectrum';
import { DECODED_HERTZ } from './useSound';

const BANDS_HERTZ = [0, 500, 1000, 2000, 4000, 8000];
const STEPS = 12;
const RANGE_DECIBELS = 80;

export function levelTable(samples: Float32Array, view: View): { head: string[]; rows: () => string[][] } {
  const { time, band } = words().explorer;
  const bands = BANDS_HERTZ.slice(1).map((high, i) => [BANDS_HERTZ[i]!, high] as const);
  return {
    head: [time, ...bands.map(([low, high]) => band(number(low), number(high)))],
    rows: () => {
      const { rows, columns, levels } = spectrogram(samples, DECODED_HERTZ, { kind: 'stft', ...view, columns: STEPS });
      const bin = (hertz: number) => Math.round((hertz / (DECODED_HERTZ / 2)) * rows);
      return Array.from({ length: columns }, (_, column) => [
        number(view.from + ((column + 0.5) / columns) * (view.to - view.from), 2),
        ...bands.map(([low, high]) => {
          let loudest = 0;
          for (let row = bin(low); row < bin(high); row += 1) loudest = Math.max(loudest, levels[row * columns + column]!);
          return number((loudest / 255 - 1) * RANGE_DECIBELS);
        }),
      ]);
    },
  };
}
