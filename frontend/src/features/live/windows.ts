/** Cuts what a microphone hears into overlapping windows, numbered from 0; each is a recording of its own. */

export const WINDOW_SECONDS = 3;
export const HOP_SECONDS = 1;
const FIRST_SECONDS = 2; // the first window, and the first after a pause, so that nobody waits long for an answer
const LEAST_SECONDS = 0.5; // a shorter rest is not worth a window

export interface Window {
  sequence: number;
  /** s, of what was heard; pauses do not count. */
  start: number;
  samples: Float32Array;
}

export class Windows {
  private readonly recent: Float32Array;
  private readonly hop: number;
  private readonly first: number;
  /** Samples in `recent`, oldest first. */
  private filled = 0;
  /** Samples heard in all. */
  private heard = 0;
  /** Where the next window ends, in samples. */
  private due: number;
  /** Where the last window ended. */
  private sent = 0;
  private sequence = 0;

  constructor(
    private readonly sampleRate: number,
    private readonly onWindow: (window: Window) => void,
  ) {
    this.recent = new Float32Array(Math.round(WINDOW_SECONDS * sampleRate));
    this.hop = Math.round(HOP_SECONDS * sampleRate);
    this.first = Math.round(FIRST_SECONDS * sampleRate);
    this.due = this.first;
  }

  push(samples: Float32Array): void {
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + Math.min(this.due - this.heard, this.recent.length));
      this.take(part);
      at += part.length;
      if (this.heard !== this.due) continue;
      this.due += this.hop; // first, as whoever gets the window may cut
      this.emit();
    }
  }

  /** Hands out what no window has had yet, and begins anew: a window never reaches over a pause. */
  cut(): void {
    if (this.heard - this.sent >= LEAST_SECONDS * this.sampleRate) this.emit();
    this.filled = 0;
    this.sent = this.heard;
    this.due = this.heard + this.first;
  }

  private take(part: Float32Array): void {
    const over = Math.max(0, this.filled + part.length - this.recent.length);
    this.recent.copyWithin(0, over, this.filled);
    this.recent.set(part, this.filled - over);
    this.filled += part.length - over;
    this.heard += part.length;
  }

  private emit(): void {
    const start = (this.heard - this.filled) / this.sampleRate;
    this.sent = this.heard;
    this.sequence += 1;
    this.onWindow({ sequence: this.sequence - 1, start, samples: this.recent.slice(0, this.filled) });
  }
}
