/** Summary of the shown spectrogram in few numbers, for the table behind it. */
import type { View } from '../../lib/audio/axis';
import { decibels, heightOf, NOTE_NAMES, spectrogram, type Kind } from '../../lib/audio/spectrum';
import { number } from '../../lib/i18n/format';
import { words } from '../../lib/i18n/language';
import { DECODED_HERTZ } from './useSound';

const BANDS_HERTZ = [0, 500, 1000, 2000, 4000, 8000];
const TABLE_ROWS = 12;

/** A column of the table: its name, and the range of spectrogram rows it summarises, excluding `end`. */
interface Band {
  name: string;
  rows: (rows: number) => [first: number, end: number];
}

export function levelTable(samples: Float32Array, view: View, kind: Kind): { head: string[]; rows: () => string[][] } {
  const bands = bandsOf(kind);
  return {
    head: [words().explorer.time, ...bands.map(({ name }) => name)],
    rows: () => {
      const { rows, columns, levels } = spectrogram(samples, DECODED_HERTZ, { kind, ...view, columns: TABLE_ROWS });
      return Array.from({ length: columns }, (_, column) => [
        number(view.from + ((column + 0.5) / columns) * (view.to - view.from), 2),
        ...bands.map((band) => {
          const [first, end] = band.rows(rows);
          let loudest = 0;
          for (let row = first; row < end; row += 1) loudest = Math.max(loudest, levels[row * columns + column]!);
          return number(decibels(kind, loudest));
        }),
      ]);
    },
  };
}

function bandsOf(kind: Kind): Band[] {
  const { band, note } = words().explorer;
  if (kind === 'chroma') return NOTE_NAMES.map((name, i) => ({ name: note(name), rows: () => [i, i + 1] }));
  return BANDS_HERTZ.slice(1).map((high, i) => {
    const low = BANDS_HERTZ[i]!;
    const row = (hertz: number, rows: number) => Math.round(heightOf(kind, hertz, DECODED_HERTZ) * rows);
    return { name: band(number(low), number(high)), rows: (rows) => [row(low, rows), row(high, rows)] };
  });
}
