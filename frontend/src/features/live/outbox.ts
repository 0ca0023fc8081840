/** Send queue for an unreliable connection: sends in order, a few messages at a time, and retries each one after
 * transient errors until it is answered. */
import { asApiError, type ApiError } from '../../lib/api';

export interface Message {
  /** Must be idempotent: it is called again after a lost response. */
  send: (signal: AbortSignal) => Promise<void>;
  /** Called when the server rejects the message permanently. */
  onRefused: (error: ApiError) => void;
}

interface Options {
  concurrency: number;
  /** Maximum number of unanswered messages; `add` returns false beyond it. */
  capacity: number;
  onChange: () => void;
}

const MIN_WAIT_SECONDS = 0.5;
const MAX_WAIT_SECONDS = 5;

export class Outbox {
  private waiting: Message[] = [];
  private running = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly aborter = new AbortController();
  private drainListeners: (() => void)[] = [];
  /** Why the last attempt failed; null once one succeeds. */
  lastError: ApiError | null = null;

  constructor(private readonly options: Options) {}

  /** Number of unanswered messages. */
  get size(): number {
    return this.waiting.length + this.running;
  }

  /** Queues a message; returns false if the outbox is full. */
  add(message: Message): boolean {
    if (this.size >= this.options.capacity) return false;
    this.waiting.push(message);
    this.next();
    return true;
  }

  /** Resolves when every message is answered. */
  drained(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.drainListeners.push(resolve));
  }

  /** Aborts and discards all unanswered messages. */
  close(): void {
    this.aborter.abort();
    clearTimeout(this.timer);
    this.waiting = [];
    this.next();
  }

  private next(): void {
    while (!this.timer && !this.aborter.signal.aborted && this.waiting.length && this.running < this.concurrency()) {
      void this.deliver(this.waiting.shift()!);
    }
    this.options.onChange();
    if (this.size === 0) this.drainListeners.splice(0).forEach((done) => done());
  }

  /** One at a time while the last attempt failed. */
  private concurrency(): number {
    return this.failures ? 1 : this.options.concurrency;
  }

  private async deliver(message: Message): Promise<void> {
    this.running += 1;
    try {
      await message.send(this.aborter.signal);
      this.failures = 0;
      this.lastError = null;
    } catch (thrown) {
      const error = asApiError(thrown);
      if (isTransient(error)) this.retryLater(message, error);
      else message.onRefused(error);
    } finally {
      this.running -= 1;
      this.next();
    }
  }

  private retryLater(message: Message, error: ApiError): void {
    if (this.aborter.signal.aborted) return;
    this.waiting.unshift(message);
    this.lastError = error;
    const wait = error.known.retryAfter ?? Math.min(MAX_WAIT_SECONDS, MIN_WAIT_SECONDS * 2 ** this.failures);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.next();
    }, 1000 * wait);
  }
}

/** No response, rate limit or server error: the same request may succeed later. */
function isTransient({ status }: ApiError): boolean {
  return status === 0 || status === 429 || status >= 500;
}
