/** Results of a live session: the windows of the last half hour, and statistics of the whole session. */
import type { ChunkAnswer, Emotion } from '../../lib/api';
import { roundHalfEven, segmentsOf, Speech } from './timeline';
import { HOP_SECONDS } from './windows';

export const HISTORY_SECONDS = 30 * 60;

export interface Statistics {
  /** Seconds of speech per emotion; an unsure segment counts for its most likely emotion. */
  seconds: Partial<Record<Emotion, number>>;
  /** Number of changes between emotions, unsure segments excluded. */
  transitions: number;
  /** Mean confidence over the speech in percent; null without speech. */
  confidence: number | null;
  /** Speech share of the recorded audio, 0 to 1. */
  speech: number;
}

/** Accepts results in any order and counts each once. */
export class History {
  /** The last `HISTORY_SECONDS`, in chronological order. */
  windows: ChunkAnswer[] = [];
  private readonly seen = new Set<number>();
  private readonly speech = new Speech();
  /** Windows with speech by grid position; of several at one position, the one with the highest sequence number. */
  private readonly spoken = new Map<number, ChunkAnswer>();
  /** Highest unsure and lowest sure confidence in percent; the model's threshold lies between them. */
  private thresholdBounds: [unsure: number, sure: number] = [0, 100];

  add(answer: ChunkAnswer): void {
    if (this.seen.has(answer.sequence)) return;
    this.seen.add(answer.sequence);
    insertSorted(this.windows, answer, ({ sequence }) => sequence);
    const oldest = this.windows.at(-1)!.end - HISTORY_SECONDS;
    while (this.windows[0]!.end < oldest) this.windows.shift();
    this.speech.add(answer);
    if (answer.emotion === null || answer.confidence === null) return;
    const place = roundHalfEven(answer.start / HOP_SECONDS);
    if ((this.spoken.get(place)?.sequence ?? -1) < answer.sequence) this.spoken.set(place, answer);
    const [unsure, sure] = this.thresholdBounds;
    this.thresholdBounds =
      answer.state === 'unsure' ? [Math.max(unsure, answer.confidence), sure] : [unsure, Math.min(sure, answer.confidence)];
  }

  get latest(): ChunkAnswer | undefined {
    return this.windows.at(-1);
  }

  /** Amount of speech in s that the last result with speech is adapted to; 0 for none. */
  get adaptedSeconds(): number {
    return this.windows.findLast(({ emotion }) => emotion !== null)?.adapted_seconds ?? 0;
  }

  /** Number of results received. */
  get count(): number {
    return this.seen.size;
  }

  /** Computed as the server does when the session ends. */
  get statistics(): Statistics {
    const segments = segmentsOf(this.spoken, this.speech);
    const seconds: Statistics['seconds'] = {};
    let [total, weighted] = [0, 0];
    for (const { from, to, emotion, probability } of segments) {
      seconds[emotion] = (seconds[emotion] ?? 0) + to - from;
      total += to - from;
      weighted += (to - from) * probability;
    }
    const sure = segments.filter(({ probability }) => 200 * probability >= this.thresholdBounds[0] + this.thresholdBounds[1]);
    return {
      seconds,
      transitions: sure.filter(({ emotion }, i) => i > 0 && sure[i - 1]!.emotion !== emotion).length,
      confidence: total ? (100 * weighted) / total : null,
      speech: this.speech.length ? this.speech.between(0, this.speech.length) / this.speech.length : 0,
    };
  }
}

/** Inserts in order, searching from the end, because most items arrive last. */
function insertSorted<Item>(items: Item[], item: Item, order: (item: Item) => number): void {
  let at = items.length;
  while (at > 0 && order(items[at - 1]!) > order(item)) at -= 1;
  items.splice(at, 0, item);
}
