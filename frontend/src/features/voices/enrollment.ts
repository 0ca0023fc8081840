/** A voice that is being made: its name and recordings outlive the view and every refusal, until they have become a profile. */
import { ApiError, asApiError, makeProfile, togetherTooLarge, type Limits, type NewProfile } from '../../lib/api';
import { advice } from '../../lib/api/problems';
import { words } from '../../lib/i18n/language';

export interface Recording {
  id: number;
  file: File;
}

export interface Made extends NewProfile {
  /** Recordings that were sent; those without speech are not in the profile. */
  sent: number;
}

export interface Snapshot {
  name: string;
  recordings: readonly Recording[];
  /** Of the upload, 0 to 1; null while nothing is sent. */
  share: number | null;
  error: ApiError | null;
  made: Made | null;
}

const EMPTY: Snapshot = { name: '', recordings: [], share: null, error: null, made: null };

export class Enrollment {
  private now = EMPTY;
  private ids = 0;
  private recorded = 0;
  private running: AbortController | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly make: typeof makeProfile) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): Snapshot => this.now;

  rename(name: string): void {
    this.change({ name, error: null });
  }

  add = (files: File[]): void => {
    if (!files.length) return;
    const added = files.map((file) => ({ id: (this.ids += 1), file }));
    this.change({ recordings: [...this.now.recordings, ...added], error: null });
  };

  /** Adds a recording of the microphone, under a name that tells it from the others. */
  addRecorded = (file: File): void => {
    this.recorded += 1;
    this.add([new File([file], words().voices.recorded(this.recorded), { type: file.type })]);
  };

  remove(id: number): void {
    this.change({ recordings: this.now.recordings.filter((one) => one.id !== id), error: null });
  }

  /** Has the server make the profile. What was sent is let go of only once it is made. */
  async send(model: string, limits?: Limits): Promise<void> {
    const { name, recordings } = this.now;
    const mine = new AbortController();
    this.running = mine;
    this.change({ share: 0, error: null, made: null });
    const onProgress = (share: number) => this.running === mine && this.change({ share });
    try {
      const files = recordings.map(({ file }) => file);
      const refusal = limits && togetherTooLarge(files, limits);
      if (refusal) throw refusal;
      const made = await this.make({ name: name.trim(), model, files, signal: mine.signal, onProgress });
      this.settle(mine, {
        made: { ...made, sent: files.length },
        name: '',
        recordings: this.now.recordings.filter((one) => !recordings.includes(one)),
      });
    } catch (error) {
      this.settle(mine, { error: told(error, recordings) });
    }
  }

  cancel = (): void => this.running?.abort();

  /** The complaint was read. */
  dismiss = (): void => this.change({ error: null });

  /** That a voice was made is said until this, or until it is deleted again. */
  forget(name?: string): void {
    if (name === undefined || this.now.made?.profile.name === name) this.change({ made: null });
  }

  /** Begins with nothing. */
  clear(): void {
    this.cancel();
    this.running = null;
    this.recorded = 0;
    this.change(EMPTY);
  }

  private settle(mine: AbortController, part: Partial<Snapshot>): void {
    if (this.running !== mine) return;
    this.running = null;
    this.change({ ...part, share: null });
  }

  private change(part: Partial<Snapshot>): void {
    this.now = { ...this.now, ...part };
    this.listeners.forEach((listener) => listener());
  }
}

/** Who stops it is told what cannot be known: the server may have had everything. Of several recordings the server's
 * sentence begins with the name of the one that it means, which is then said in the page's words too. */
function told(thrown: unknown, recordings: readonly Recording[]): ApiError {
  const error = asApiError(thrown);
  if (error.code === 'cancelled') return new ApiError('profile_cancelled');
  const meant = recordings.find(({ file }) => error.known.said?.startsWith(`${file.name}: `));
  return meant ? new ApiError(error.code, { ...error.known, detail: `${meant.file.name}: ${advice(error.code).detail}` }) : error;
}

export const enrollment = new Enrollment(makeProfile);
