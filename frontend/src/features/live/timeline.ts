/** Windows of a live session -> segments, as the server makes them when it ends (backend/ser/timeline.py, streaming.py), so
 * that no figure jumps then; tests/live-session.json holds the two together. */
import type { ChunkAnswer, Emotion } from '../../lib/api';
import { HOP_SECONDS } from './windows';

const FRAME_SECONDS = 512 / 16_000; // of the speech detector
const LEAST_SPEECH_SECONDS = 0.25; // a window with less has no say, a segment with less is left out
const PAUSE_SECONDS = 1; // a longer pause ends a segment
const SMOOTHING = [0.25, 0.5, 0.25] as const; // weights of the window before, the window itself and the one after

type Stretch = [from: number, to: number];
type Probabilities = ChunkAnswer['probabilities'];

export interface Segment {
  from: number;
  to: number;
  emotion: Emotion;
  /** Its mean probability, 0 to 1. */
  probability: number;
}

interface Part {
  from: number;
  to: number;
  /** s of speech. */
  speech: number;
  probabilities: Probabilities;
}

/** The nearest whole number, of two the even one, as Python rounds. */
export function nearest(value: number): number {
  const above = Math.round(value);
  return above - value === 0.5 && above % 2 ? above - 1 : above;
}

/** Where speech is: where at least half of the windows that cover a frame say so. */
export class Speech {
  private readonly votes: number[] = [];
  private readonly covered: number[] = [];
  private end = 0;

  add({ start, end, speech }: ChunkAnswer): void {
    const first = nearest(start / FRAME_SECONDS);
    for (let i = 0; i < speech.length; i += 1) {
      this.votes[first + i] = (this.votes[first + i] ?? 0) + Number(speech[i]);
      this.covered[first + i] = (this.covered[first + i] ?? 0) + 1;
    }
    this.end = Math.max(this.end, end);
  }

  /** s that were heard. */
  get length(): number {
    return this.end;
  }

  /** s of speech between two moments. */
  between(from: number, to: number): number {
    let seconds = 0;
    const last = Math.min(to, this.end);
    for (let i = Math.floor(from / FRAME_SECONDS); i * FRAME_SECONDS < last; i += 1) {
      if (this.active(i)) seconds += Math.max(0, Math.min((i + 1) * FRAME_SECONDS, last) - Math.max(i * FRAME_SECONDS, from));
    }
    return seconds;
  }

  /** Stretches of speech, short pauses included. */
  stretches(): Stretch[] {
    const found: Stretch[] = [];
    for (let i = 0; i < this.votes.length; i += 1) {
      if (!this.active(i)) continue;
      const [from, to] = [i * FRAME_SECONDS, Math.min((i + 1) * FRAME_SECONDS, this.end)];
      const before = found.at(-1);
      if (before && from - before[1] <= PAUSE_SECONDS + 1e-9) before[1] = to;
      else found.push([from, to]);
    }
    return found;
  }

  private active(frame: number): boolean {
    const votes = this.votes[frame] ?? 0;
    return votes > 0 && 2 * votes >= this.covered[frame]!;
  }
}

/** Segments in order, each with one emotion; windows are given by their place on the grid. */
export function segmentsOf(windows: Map<number, ChunkAnswer>, speech: Speech): Segment[] {
  const parts = partsOf(windows, speech);
  const stretches = speech.stretches();
  if (!parts.length || !stretches.length) return [];
  const single: Stretch[] = [[stretches[0]![0], stretches.at(-1)![1]]];
  return runsOf(parts, speech).flatMap((run) =>
    (parts.length === 1 ? single : stretches)
      .map(([begin, finish]) => ({ ...run, from: Math.max(run.from, begin), to: Math.min(run.to, finish), whole: finish - begin }))
      .filter(({ from, to, whole }) => to - from >= Math.min(LEAST_SPEECH_SECONDS, whole)),
  );
}

function partsOf(windows: Map<number, ChunkAnswer>, speech: Speech): Part[] {
  const all = [...windows]
    .toSorted(([one], [other]) => one - other)
    .map(([place, { start, end, probabilities }]) => {
      const [from, to] = [place * HOP_SECONDS, Math.min(place * HOP_SECONDS + end - start, speech.length)];
      return { from, to, probabilities, speech: speech.between(from, to) };
    })
    .filter((part) => part.speech > 0); // else outvoted by its neighbours
  const spoken = all.filter((part) => part.speech >= LEAST_SPEECH_SECONDS);
  return spoken.length ? spoken : all.toSorted((one, other) => other.speech - one.speech).slice(0, 1);
}

/** Neighbouring windows with the same likeliest emotion, and its mean probability. */
function runsOf(parts: Part[], speech: Speech): Segment[] {
  if (parts.length === 1) return [{ from: 0, to: speech.length, ...likeliest(parts[0]!.probabilities) }];
  const edges = parts.slice(1).map((after, i) => edgesOf(parts[i]!, after));
  const runs: (Segment & { count: number })[] = [];
  parts.forEach((part, i) => {
    const { emotion, probability } = likeliest(smoothed(parts, i));
    const [from, to] = [edges[i - 1]?.[1] ?? part.from, edges[i]?.[0] ?? part.to];
    const run = runs.at(-1);
    if (run?.emotion !== emotion || !adjacent(parts[i - 1]!, part)) return runs.push({ from, to, emotion, probability, count: 1 });
    run.probability = (run.probability * run.count + probability) / (run.count + 1);
    run.count += 1;
    run.to = to;
  });
  return runs;
}

/** Where a window stops to speak for the sound, and the next one begins. */
function edgesOf(before: Part, after: Part): [number, number] {
  const middle = after.from + 1; // of windows of 3 s, each speaks for the second in its middle
  if (adjacent(before, after)) return [middle, middle];
  if (before.to <= after.from) return [before.to, after.from];
  return [(before.to + after.from) / 2, (before.to + after.from) / 2];
}

function smoothed(parts: Part[], at: number): Probabilities {
  const shares: Probabilities = {};
  let weights = 0;
  SMOOTHING.forEach((weight, i) => {
    const part = parts[at + i - 1];
    if (!part || (i === 0 && !adjacent(part, parts[at]!)) || (i === 2 && !adjacent(parts[at]!, part))) return;
    weights += weight;
    Object.entries(part.probabilities).forEach(([emotion, share]) => (shares[emotion] = (shares[emotion] ?? 0) + weight * share));
  });
  return Object.fromEntries(Object.entries(shares).map(([emotion, share]) => [emotion, share / weights]));
}

const adjacent = (before: Part, after: Part) => Math.abs(after.from - before.from - HOP_SECONDS) < 1e-6;

function likeliest(probabilities: Probabilities): { emotion: Emotion; probability: number } {
  const [emotion, probability] = Object.entries(probabilities).reduce((best, one) => (one[1] > best[1] ? one : best));
  return { emotion: emotion as Emotion, probability };
}
