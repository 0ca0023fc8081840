/** What was heard in a live session: the windows of the last half hour, and statistics of all of it. */
import type { ChunkAnswer, Emotion } from './api';
import { HOP_SECONDS } from './windows';

export const KEPT_SECONDS = 30 * 60;

export interface Statistics {
  /** s of each emotion that was sure or likeliest. */
  seconds: Partial<Record<Emotion, number>>;
  /** How often one sure emotion followed another. */
  transitions: number;
  /** Mean over windows with speech in percent; null without one. */
  confidence: number | null;
  /** Share of the windows with speech, 0 to 1. */
  speech: number;
}

/** Answers may come in any order; each counts once. */
export class History {
  /** In order of time, the last `KEPT_SECONDS`. */
  windows: ChunkAnswer[] = [];
  private readonly seen = new Set<number>();
  private readonly seconds: Partial<Record<Emotion, number>> = {};
  private spoken = 0;
  private confidence = 0;
  /** Sure emotions in order of number, run by run: all that transitions need. */
  private sure: [sequence: number, emotion: Emotion][] = [];

  add(answer: ChunkAnswer): void {
    if (this.seen.has(answer.sequence)) return;
    this.seen.add(answer.sequence);
    insert(this.windows, answer, ({ sequence }) => sequence);
    const oldest = this.windows.at(-1)!.end - KEPT_SECONDS;
    while (this.windows[0]!.end < oldest) this.windows.shift();
    if (answer.emotion === null) return;
    this.spoken += 1;
    this.confidence += answer.confidence ?? 0;
    this.seconds[answer.emotion] = (this.seconds[answer.emotion] ?? 0) + HOP_SECONDS;
    if (answer.state === 'emotion') insert<[number, Emotion]>(this.sure, [answer.sequence, answer.emotion], ([sequence]) => sequence);
  }

  get latest(): ChunkAnswer | undefined {
    return this.windows.at(-1);
  }

  /** How many answers came. */
  get count(): number {
    return this.seen.size;
  }

  get statistics(): Statistics {
    const windows = this.count;
    return {
      seconds: this.seconds,
      transitions: this.sure.filter(([, emotion], i) => i > 0 && this.sure[i - 1]![1] !== emotion).length,
      confidence: this.spoken ? this.confidence / this.spoken : null,
      speech: windows ? this.spoken / windows : 0,
    };
  }
}

/** Most come last, so that the place is looked for from the end. */
function insert<Item>(items: Item[], item: Item, order: (item: Item) => number): void {
  let at = items.length;
  while (at > 0 && order(items[at - 1]!) > order(item)) at -= 1;
  items.splice(at, 0, item);
}
