/** What was heard in a live session: the windows of the last half hour, and statistics of all of it. */
import type { ChunkAnswer, Emotion } from '../../lib/api';
import { nearest, segmentsOf, Speech } from './timeline';
import { HOP_SECONDS } from './windows';

export const KEPT_SECONDS = 30 * 60;

export interface Statistics {
  /** s of speech that carry each emotion, sure or likeliest. */
  seconds: Partial<Record<Emotion, number>>;
  /** How often one sure emotion followed another. */
  transitions: number;
  /** Mean over the speech in percent; null without. */
  confidence: number | null;
  /** Share of what was heard that is speech, 0 to 1. */
  speech: number;
}

/** Answers may come in any order; each counts once. */
export class History {
  /** In order of time, the last `KEPT_SECONDS`. */
  windows: ChunkAnswer[] = [];
  private readonly seen = new Set<number>();
  private readonly speech = new Speech();
  /** With speech, by their place on the grid; of several the one with the highest number. */
  private readonly spoken = new Map<number, ChunkAnswer>();
  /** Highest confidence that was unsure, and lowest that was not, in percent: the model's threshold lies between. */
  private doubt: [unsure: number, sure: number] = [0, 100];

  add(answer: ChunkAnswer): void {
    if (this.seen.has(answer.sequence)) return;
    this.seen.add(answer.sequence);
    insert(this.windows, answer, ({ sequence }) => sequence);
    const oldest = this.windows.at(-1)!.end - KEPT_SECONDS;
    while (this.windows[0]!.end < oldest) this.windows.shift();
    this.speech.add(answer);
    if (answer.emotion === null || answer.confidence === null) return;
    const place = nearest(answer.start / HOP_SECONDS);
    if ((this.spoken.get(place)?.sequence ?? -1) < answer.sequence) this.spoken.set(place, answer);
    const [unsure, sure] = this.doubt;
    this.doubt = answer.state === 'unsure' ? [Math.max(unsure, answer.confidence), sure] : [unsure, Math.min(sure, answer.confidence)];
  }

  get latest(): ChunkAnswer | undefined {
    return this.windows.at(-1);
  }

  /** How many answers came. */
  get count(): number {
    return this.seen.size;
  }

  /** Counted as the server counts when the session ends. */
  get statistics(): Statistics {
    const segments = segmentsOf(this.spoken, this.speech);
    const seconds: Statistics['seconds'] = {};
    let [total, weighted] = [0, 0];
    for (const { from, to, emotion, probability } of segments) {
      seconds[emotion] = (seconds[emotion] ?? 0) + to - from;
      total += to - from;
      weighted += (to - from) * probability;
    }
    const sure = segments.filter(({ probability }) => 200 * probability >= this.doubt[0] + this.doubt[1]);
    return {
      seconds,
      transitions: sure.filter(({ emotion }, i) => i > 0 && sure[i - 1]!.emotion !== emotion).length,
      confidence: total ? (100 * weighted) / total : null,
      speech: this.speech.length ? this.speech.between(0, this.speech.length) / this.speech.length : 0,
    };
  }
}

/** Most come last, so that the place is looked for from the end. */
function insert<Item>(items: Item[], item: Item, order: (item: Item) => number): void {
  let at = items.length;
  while (at > 0 && order(items[at - 1]!) > order(item)) at -= 1;
  items.splice(at, 0, item);
}
