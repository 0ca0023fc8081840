/** Colour map of spectrograms, from dark violet through red to cream. Lightness rises monotonically, for any colour vision. */
import type { Picture } from '../../lib/audio/spectrum';

const STOPS: [number, number, number][] = [
  [14, 11, 28],
  [58, 22, 92],
  [132, 38, 106],
  [205, 66, 76],
  [245, 130, 66],
  [252, 200, 108],
  [254, 246, 214],
];

const COLOURS = Uint32Array.from({ length: 256 }, (_, level) => {
  const at = (level / 255) * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  const [red = 0, green = 0, blue = 0] = STOPS[i]!.map((low, channel) => Math.round(low + (at - i) * (STOPS[i + 1]![channel]! - low)));
  return (255 << 24) | (blue << 16) | (green << 8) | red; // little-endian RGBA
});

/** Draws one pixel per level on a new canvas, with the lowest row at the bottom. */
export function paint({ rows, columns, levels }: Picture): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      pixels[(rows - 1 - row) * columns + column] = COLOURS[levels[row * columns + column]!]!;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
