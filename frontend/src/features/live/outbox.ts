/** Sends things to a server that may be away: in order of arrival, a few at once, each until it is answered. Nothing is
 * dropped and nothing is given up while the trouble is one that passes. */
import { asApiError, type ApiError } from '../../lib/api';

export interface Letter {
  /** Sends it; safe to call again when an answer was lost. */
  send: (signal: AbortSignal) => Promise<void>;
  /** The server answered that it will never take it. */
  onRefused: (error: ApiError) => void;
}

interface Options {
  atOnce: number;
  /** How many may wait; beyond, `add` says no. */
  most: number;
  onChange: () => void;
}

const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 5;

export class Outbox {
  private waiting: Letter[] = [];
  private running = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly end = new AbortController();
  private idle: (() => void)[] = [];
  /** Why the last attempt failed; null once one succeeds. */
  trouble: ApiError | null = null;

  constructor(private readonly options: Options) {}

  /** Letters that were not answered yet. */
  get size(): number {
    return this.waiting.length + this.running;
  }

  /** Whether there was room. */
  add(letter: Letter): boolean {
    if (this.size >= this.options.most) return false;
    this.waiting.push(letter);
    this.next();
    return true;
  }

  /** Resolves when everything is answered. */
  drained(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }

  /** Gives up what is left. */
  close(): void {
    this.end.abort();
    clearTimeout(this.timer);
    this.waiting = [];
    this.next();
  }

  private next(): void {
    while (!this.timer && !this.end.signal.aborted && this.waiting.length && this.running < this.room()) {
      void this.deliver(this.waiting.shift()!);
    }
    this.options.onChange();
    if (this.size === 0) this.idle.splice(0).forEach((done) => done());
  }

  /** In trouble only one attempt is made at a time. */
  private room(): number {
    return this.failures ? 1 : this.options.atOnce;
  }

  private async deliver(letter: Letter): Promise<void> {
    this.running += 1;
    try {
      await letter.send(this.end.signal);
      this.failures = 0;
      this.trouble = null;
    } catch (thrown) {
      const error = asApiError(thrown);
      if (passes(error)) this.postpone(letter, error);
      else letter.onRefused(error);
    } finally {
      this.running -= 1;
      this.next();
    }
  }

  private postpone(letter: Letter, error: ApiError): void {
    if (this.end.signal.aborted) return;
    this.waiting.unshift(letter);
    this.trouble = error;
    const wait = error.known.retryAfter ?? Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** this.failures);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.next();
    }, 1000 * wait);
  }
}

/** No answer, too busy, or a server in trouble: the same may succeed later. */
function passes({ status }: ApiError): boolean {
  return status === 0 || status === 429 || status >= 500;
}
