/** Splits the microphone signal into overlapping windows, numbered from 0; each is sent as a separate recording. */

export const WINDOW_SECONDS = 3;
export const HOP_SECONDS = 1;
const FIRST_SECONDS = 2; // first window, also after a pause; shorter, so that the first result comes sooner
const MIN_SECONDS = 0.5; // a shorter remainder is discarded

export interface Window {
  sequence: number;
  /** Position in the recorded audio in s, pauses excluded. */
  start: number;
  samples: Float32Array;
}

export class Windows {
  private readonly recent: Float32Array;
  private readonly hop: number;
  private readonly first: number;
  /** Number of samples in `recent`, oldest first. */
  private filled = 0;
  /** Total number of samples received. */
  private received = 0;
  /** End of the next window, in samples. */
  private nextEnd: number;
  /** End of the last window, in samples. */
  private emitted = 0;
  private sequence = 0;

  constructor(
    private readonly sampleRate: number,
    private readonly onWindow: (window: Window) => void,
  ) {
    this.recent = new Float32Array(Math.round(WINDOW_SECONDS * sampleRate));
    this.hop = Math.round(HOP_SECONDS * sampleRate);
    this.first = Math.round(FIRST_SECONDS * sampleRate);
    this.nextEnd = this.first;
  }

  push(samples: Float32Array): void {
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + Math.min(this.nextEnd - this.received, this.recent.length));
      this.append(part);
      at += part.length;
      if (this.received !== this.nextEnd) continue;
      this.nextEnd += this.hop; // first, because the callback may call flush()
      this.emit();
    }
  }

  /** Emits the audio that no window contains yet and resets, because a window never spans a pause. */
  flush(): void {
    if (this.received - this.emitted >= MIN_SECONDS * this.sampleRate) this.emit();
    this.filled = 0;
    this.emitted = this.received;
    this.nextEnd = this.received + this.first;
  }

  private append(part: Float32Array): void {
    const over = Math.max(0, this.filled + part.length - this.recent.length);
    this.recent.copyWithin(0, over, this.filled);
    this.recent.set(part, this.filled - over);
    this.filled += part.length - over;
    this.received += part.length;
  }

  private emit(): void {
    const start = (this.received - this.filled) / this.sampleRate;
    this.emitted = this.received;
    this.sequence += 1;
    this.onWindow({ sequence: this.sequence - 1, start, samples: this.recent.slice(0, this.filled) });
  }
}
