import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EMOTIONS } from '../lib/emotions';

type Rgb = [number, number, number];
const css = readFileSync('src/app/tokens.css', 'utf-8');

/** Colour vision deficiencies as matrices on linear RGB, severity 1 (Machado, Oliveira and Fernandes 2009, IEEE TVCG 15). */
const VISION: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

function colours(scheme: string): Record<string, Rgb> {
  const block = css.split(`data-mantine-color-scheme='${scheme}'] {`)[1]!.split('}')[0]!;
  return Object.fromEntries([...block.matchAll(/--([\w-]+): #(\w{6})/g)].map(([, name, hex]) => [name!, linear(hex!)]));
}

function linear(hex: string): Rgb {
  return [0, 2, 4].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
}

const times = (matrix: number[][], colour: Rgb) => matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * colour[i]!, 0)) as Rgb;

/** Linear RGB to Oklab (Ottosson 2020), in which distances are approximately perceptual. */
function oklab(colour: Rgb): Rgb {
  const cones = times(
    [
      [0.4122, 0.5363, 0.0514],
      [0.2119, 0.6807, 0.1074],
      [0.0883, 0.2817, 0.63],
    ],
    colour,
  );
  return times(
    [
      [0.2105, 0.7936, -0.0041],
      [1.978, -2.4286, 0.4506],
      [0.0259, 0.7828, -0.8087],
    ],
    cones.map((x) => Math.cbrt(Math.max(0, x))) as Rgb,
  );
}

function contrast(one: Rgb, other: Rgb): number {
  const luminance = ([red, green, blue]: Rgb) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const [low, high] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

test.each(['light', 'dark'])('emotion colours have contrast and are distinguishable with any colour vision: %s', (scheme) => {
  const every = colours(scheme);
  const emotions = EMOTIONS.map((emotion) => every[`emotion-${emotion}`]!);
  for (const colour of emotions) expect(contrast(colour, every.card!)).toBeGreaterThan(3);
  for (const sight of Object.values(VISION)) {
    const seen = emotions.map((colour) => oklab(times(sight, colour)));
    const distances = seen.flatMap((one, i) => seen.slice(i + 1).map((other) => Math.hypot(...one.map((x, k) => x - other[k]!))));
    expect(Math.min(...distances)).toBeGreaterThan(0.07);
  }
});
