/** Analyses many files, a few at a time; files can be cancelled and retried. */
import { asApiError, tooLarge, type ApiError, type Limits, type Prediction } from '../../lib/api';

export type State = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Item {
  id: number;
  /** Relative to the dropped folder. */
  path: string;
  file: File;
  state: State;
  prediction?: Prediction;
  error?: ApiError;
}

export type Predict = (file: File, signal: AbortSignal) => Promise<Prediction>;

const AT_ONCE = 3;
const BUSY_TRIES = 5;
const BUSY_SECONDS = 2;

export class Queue {
  private items: Item[] = [];
  private readonly running = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();
  private lastId = 0;

  private limits?: Limits;

  constructor(private predict: Predict) {}

  /** Sets the request function and limits for files started from now on. */
  configure(predict: Predict, limits?: Limits): void {
    this.predict = predict;
    this.limits = limits;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The items; a new array after every change. */
  snapshot = (): readonly Item[] => this.items;

  add(files: { file: File; path: string }[]): void {
    this.change([...this.items, ...files.map(({ file, path }): Item => ({ id: (this.lastId += 1), file, path, state: 'waiting' }))]);
  }

  cancel(id: number): void {
    this.running.get(id)?.abort();
    this.update(id, (item) => (item.state === 'waiting' || item.state === 'running' ? { ...item, state: 'cancelled' } : item));
  }

  cancelAll(): void {
    this.items.forEach(({ id, state }) => (state === 'waiting' || state === 'running') && this.cancel(id));
  }

  retry(id: number): void {
    this.update(id, (item) => ({ ...item, state: 'waiting', error: undefined }));
  }

  /** Retries all failed and cancelled files. */
  retryAll(): void {
    this.items.forEach(({ id, state }) => (state === 'failed' || state === 'cancelled') && this.retry(id));
  }

  clear(): void {
    this.cancelAll();
    this.change([]);
  }

  private update(id: number, change: (item: Item) => Item): void {
    this.change(this.items.map((item) => (item.id === id ? change(item) : item)));
  }

  private change(items: Item[]): void {
    this.items = items;
    while (this.running.size < AT_ONCE) {
      const next = this.items.find(({ id, state }) => state === 'waiting' && !this.running.has(id));
      if (!next) break;
      this.run(next);
    }
    this.listeners.forEach((listener) => listener());
  }

  private run({ id, file }: Item): void {
    const controller = new AbortController();
    this.running.set(id, controller);
    this.items = this.items.map((item) => (item.id === id ? { ...item, state: 'running' } : item));
    void this.request(file, controller.signal)
      .then(
        (prediction): Partial<Item> => ({ state: 'done', prediction }),
        (error: unknown): Partial<Item> => ({ state: 'failed', error: asApiError(error) }),
      )
      .then((outcome) => {
        this.running.delete(id);
        this.update(id, (item) => (item.state === 'running' ? { ...item, ...outcome } : item));
      });
  }

  /** Requests a prediction, retrying after Retry-After while the server is busy. */
  private async request(file: File, signal: AbortSignal): Promise<Prediction> {
    const refusal = this.limits && tooLarge(file, this.limits);
    if (refusal) throw refusal;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.predict(file, signal);
      } catch (thrown) {
        const error = asApiError(thrown);
        if ((error.status !== 503 && error.status !== 429) || attempt === BUSY_TRIES || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * (error.known.retryAfter ?? BUSY_SECONDS)));
      }
    }
  }
}
