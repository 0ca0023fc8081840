/** Merges the windows of a live session into segments as the server does at its end (backend/ser/timeline.py,
 * streaming.py), so that the figures do not change then; tests/live-session.json keeps both implementations consistent. */
import type { ChunkAnswer, Emotion } from '../../lib/api';
import { HOP_SECONDS } from './windows';

const FRAME_SECONDS = 512 / 16_000; // of the speech detector
const MIN_SPEECH_SECONDS = 0.25; // windows and segments with less are ignored
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
  /** Seconds of speech. */
  speech: number;
  probabilities: Probabilities;
}

/** Rounds half to even, as Python does. */
export function roundHalfEven(value: number): number {
  const above = Math.round(value);
  return above - value === 0.5 && above % 2 ? above - 1 : above;
}

/** Speech activity per frame: the majority vote of the windows that cover it; a tie counts as speech. */
export class Speech {
  private readonly votes: number[] = [];
  private readonly covered: number[] = [];
  private end = 0;

  add({ start, end, speech }: ChunkAnswer): void {
    const first = roundHalfEven(start / FRAME_SECONDS);
    for (let i = 0; i < speech.length; i += 1) {
      this.votes[first + i] = (this.votes[first + i] ?? 0) + Number(speech[i]);
      this.covered[first + i] = (this.covered[first + i] ?? 0) + 1;
    }
    this.end = Math.max(this.end, end);
  }

  /** Length of the recorded audio in s. */
  get length(): number {
    return this.end;
  }

  /** Seconds of speech between two times. */
  between(from: number, to: number): number {
    let seconds = 0;
    const last = Math.min(to, this.end);
    for (let i = Math.floor(from / FRAME_SECONDS); i * FRAME_SECONDS < last; i += 1) {
      if (this.active(i)) seconds += Math.max(0, Math.min((i + 1) * FRAME_SECONDS, last) - Math.max(i * FRAME_SECONDS, from));
    }
    return seconds;
  }

  /** Stretches of speech; pauses of up to `PAUSE_SECONDS` are included. */
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

/** Segments in chronological order, each with one emotion. `windows` is keyed by grid position. */
export function segmentsOf(windows: Map<number, ChunkAnswer>, speech: Speech): Segment[] {
  const parts = partsOf(windows, speech);
  const stretches = speech.stretches();
  if (!parts.length || !stretches.length) return [];
  const single: Stretch[] = [[stretches[0]![0], stretches.at(-1)![1]]];
  return runsOf(parts, speech).flatMap((run) =>
    (parts.length === 1 ? single : stretches)
      .map(([begin, finish]) => ({ ...run, from: Math.max(run.from, begin), to: Math.min(run.to, finish), whole: finish - begin }))
      .filter(({ from, to, whole }) => to - from >= Math.min(MIN_SPEECH_SECONDS, whole)),
  );
}

function partsOf(windows: Map<number, ChunkAnswer>, speech: Speech): Part[] {
  const all = [...windows]
    .toSorted(([one], [other]) => one - other)
    .map(([position, { start, end, probabilities }]) => {
      const [from, to] = [position * HOP_SECONDS, Math.min(position * HOP_SECONDS + end - start, speech.length)];
      return { from, to, probabilities, speech: speech.between(from, to) };
    })
    .filter((part) => part.speech > 0); // otherwise its neighbours outvoted it
  const spoken = all.filter((part) => part.speech >= MIN_SPEECH_SECONDS);
  return spoken.length ? spoken : all.toSorted((one, other) => other.speech - one.speech).slice(0, 1);
}

/** Merges adjacent windows with the same most likely emotion, and averages its probability. */
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

/** End of one window's span and start of the next one's. */
function edgesOf(before: Part, after: Part): [number, number] {
  const middle = after.from + 1; // a window of 3 s represents the second in its middle
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
