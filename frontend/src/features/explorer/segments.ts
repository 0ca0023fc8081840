/** Segments of a result: lookup by time, probabilities, names and gaps. */
import type { Prediction, Segment } from '../../lib/api';
import { emotionName, emotionWord } from '../../lib/emotions';
import { certainty, duration } from '../../lib/i18n/format';
import { words } from '../../lib/i18n/language';

/** Index of the segment at a time in s; -1 between segments. */
export function segmentAt(segments: Segment[], seconds: number): number {
  return segments.findIndex(({ start, end }) => seconds >= start && seconds < end);
}

/** Mean probabilities of the windows whose middle hop overlaps the segment, or of the nearest window if there is none.
 * A recording of a single window has one set of probabilities. */
export function probabilitiesIn({ timeline, probabilities }: Prediction, segment: Segment): Record<string, number> {
  if (!timeline?.start.length) return probabilities;
  const distances = timeline.start.map((start, i) => {
    const middle = (start + timeline.end[i]!) / 2;
    return Math.max(segment.start - middle, middle - segment.end, 0);
  });
  const nearest = Math.min(...distances);
  const reach = Math.max(nearest, timeline.hop_seconds / 2 - 0.01);
  const inside = distances.flatMap((distance, i) => (distance <= reach ? [i] : []));
  const mean = (values: number[]) => inside.reduce((sum, i) => sum + values[i]!, 0) / inside.length;
  return Object.fromEntries(Object.entries(timeline.probabilities).map(([emotion, values]) => [emotion, mean(values)]));
}

/** "Happy", or "Unsure, closest to happy". */
export function segmentName({ emotion, state }: Segment): string {
  return state === 'unsure' ? words().explorer.unsure(emotionWord(emotion)) : emotionName(emotion);
}

/** "Happy, 0.4 s to 6.0 s, 80%" */
export function segmentText(segment: Segment): string {
  const { start, end, confidence } = segment;
  return words().explorer.segment(segmentName(segment), duration(start), duration(end), certainty(confidence));
}

/** Silence and noise between segments, as [start, end] in s. */
export function gaps(segments: Segment[], length: number): [number, number][] {
  const edges = [0, ...segments.flatMap(({ start, end }) => [start, end]), length];
  const found: [number, number][] = [];
  for (let i = 0; i < edges.length; i += 2) if (edges[i + 1]! - edges[i]! > 0.05) found.push([edges[i]!, edges[i + 1]!]);
  return found;
}
