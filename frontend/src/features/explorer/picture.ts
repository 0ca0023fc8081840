/** Exports the visible part of the chart as a PNG: emotion segments, waveform and spectrogram. */
import { token } from '../../components/Canvas';
import type { Prediction, Segment } from '../../lib/api';
import { share, ticks, type View } from '../../lib/audio/axis';
import type { Picture } from '../../lib/audio/spectrum';
import { saveFile } from '../../lib/download';
import { certainty, clock, number } from '../../lib/i18n/format';
import { paint } from './paint';
import { segmentName } from './segments';
import { DECODED_HERTZ } from './useSound';

const WIDTH = 1600;
const MARGIN = 40;
const INNER = WIDTH - 2 * MARGIN;
const [TITLE, BAND, WAVE, SPECTROGRAM, AXIS] = [64, 72, 150, 260, 44];
const GAP = 10;
const FONT = "'Figtree Variable', 'Noto Sans Devanagari Variable', system-ui, sans-serif";

interface Content {
  prediction: Prediction;
  view: View;
  samples: Float32Array | null;
  spectrogram: { picture: Picture; view: View } | null;
}

export async function savePicture(content: Content): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => drawPicture(content).toBlob(resolve, 'image/png'));
  if (blob) saveFile(blob, `${content.prediction.file.replace(/\.\w+$/, '')}.png`);
}

function drawPicture({ prediction, view, samples, spectrogram }: Content): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = TITLE + BAND + GAP + (samples ? WAVE + GAP : 0) + (spectrogram ? SPECTROGRAM + GAP : 0) + AXIS + MARGIN / 2;
  const context = canvas.getContext('2d')!;
  context.fillStyle = token('--card');
  context.fillRect(0, 0, canvas.width, canvas.height);
  text(context, prediction.file, MARGIN, 42, 26, 700);
  context.translate(MARGIN, TITLE);
  prediction.segments.forEach((segment) => band(context, segment, view));
  context.translate(0, BAND + GAP);
  if (samples) {
    wave(context, samples, view);
    context.translate(0, WAVE + GAP);
  }
  if (spectrogram) {
    const at = (seconds: number) => share(view, seconds) * INNER;
    const { from, to } = spectrogram.view;
    context.drawImage(paint(spectrogram.picture), at(from), 0, at(to) - at(from), SPECTROGRAM);
    context.translate(0, SPECTROGRAM + GAP);
  }
  for (const seconds of ticks(view, 12)) {
    text(context, view.to - view.from < 10 ? number(seconds, 1) : clock(seconds), share(view, seconds) * INNER, 24, 18, 400);
  }
  return canvas;
}

function band(context: CanvasRenderingContext2D, segment: Segment, view: View) {
  const left = Math.max(0, share(view, segment.start)) * INNER;
  const width = Math.min(1, share(view, segment.end)) * INNER - left;
  if (width <= 0) return;
  context.save();
  context.beginPath();
  context.rect(left, 0, width, BAND);
  context.clip();
  const colour = token(`--emotion-${segment.emotion}`);
  context.fillStyle = colour;
  context.globalAlpha = 0.16;
  context.fillRect(left, 0, width, BAND);
  context.globalAlpha = 1;
  context.fillRect(left, 0, width, 8);
  text(context, segmentName(segment), left + 8, 36, 18, 600);
  text(context, certainty(segment.confidence), left + 8, 60, 16, 400);
  context.restore();
}

function wave(context: CanvasRenderingContext2D, samples: Float32Array, view: View) {
  context.fillStyle = token('--accent');
  const per = ((view.to - view.from) * DECODED_HERTZ) / INNER;
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
  for (let x = 0; x < INNER; x += 1) {
    const start = Math.floor(view.from * DECODED_HERTZ + x * per);
    let most = 0;
    for (let i = start; i < start + per; i += 1) most = Math.max(most, Math.abs(samples[i] ?? 0));
    const tall = Math.max(1, (most / loudest) * WAVE);
    context.fillRect(x, (WAVE - tall) / 2, 1, tall);
  }
}

function text(context: CanvasRenderingContext2D, words: string, x: number, y: number, size: number, weight: number) {
  context.fillStyle = token('--ink');
  context.font = `${weight} ${size}px ${FONT}`;
  context.fillText(words, x, y);
}
