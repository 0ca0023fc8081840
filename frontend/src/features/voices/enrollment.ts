/** State of the speaker profile being created. Name and recordings survive navigation and errors until the profile exists. */
import { ApiError, asApiError, makeProfile, togetherTooLarge, type Limits, type NewProfile } from '../../lib/api';
import { advice } from '../../lib/api/problems';
import { words } from '../../lib/i18n/language';

export interface Recording {
  id: number;
  file: File;
}

export interface CreatedProfile extends NewProfile {
  /** Number of recordings sent; those without speech are not in the profile. */
  sent: number;
}

export interface Snapshot {
  name: string;
  recordings: readonly Recording[];
  /** Upload progress, 0 to 1; null while nothing is being sent. */
  share: number | null;
  error: ApiError | null;
  created: CreatedProfile | null;
}

const EMPTY: Snapshot = { name: '', recordings: [], share: null, error: null, created: null };

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

  /** Adds a microphone recording under a numbered name. */
  addRecorded = (file: File): void => {
    this.recorded += 1;
    this.add([new File([file], words().voices.recorded(this.recorded), { type: file.type })]);
  };

  remove(id: number): void {
    this.change({ recordings: this.now.recordings.filter((one) => one.id !== id), error: null });
  }

  /** Creates the profile on the server, and removes the sent recordings only on success. */
  async send(model: string, limits?: Limits): Promise<void> {
    const { name, recordings } = this.now;
    const controller = new AbortController();
    this.running = controller;
    this.change({ share: 0, error: null, created: null });
    const onProgress = (share: number) => this.running === controller && this.change({ share });
    try {
      const files = recordings.map(({ file }) => file);
      const refusal = limits && togetherTooLarge(files, limits);
      if (refusal) throw refusal;
      const created = await this.make({ name: name.trim(), model, files, signal: controller.signal, onProgress });
      this.settle(controller, {
        created: { ...created, sent: files.length },
        name: '',
        recordings: this.now.recordings.filter((one) => !recordings.includes(one)),
      });
    } catch (error) {
      this.settle(controller, { error: explained(error, recordings) });
    }
  }

  cancel = (): void => this.running?.abort();

  /** Dismisses the error. */
  dismiss = (): void => this.change({ error: null });

  /** Hides the confirmation; with a name, only if it is for that profile. */
  dismissCreated(name?: string): void {
    if (name === undefined || this.now.created?.profile.name === name) this.change({ created: null });
  }

  /** Cancels and resets everything. */
  clear(): void {
    this.cancel();
    this.running = null;
    this.recorded = 0;
    this.change(EMPTY);
  }

  private settle(controller: AbortController, part: Partial<Snapshot>): void {
    if (this.running !== controller) return;
    this.running = null;
    this.change({ ...part, share: null });
  }

  private change(part: Partial<Snapshot>): void {
    this.now = { ...this.now, ...part };
    this.listeners.forEach((listener) => listener());
  }
}

/** Adds context to an error: after a cancellation the server may still create the profile, and an error about one of the
 * recordings, whose name the server's message starts with, names it in the page's own words. */
function explained(thrown: unknown, recordings: readonly Recording[]): ApiError {
  const error = asApiError(thrown);
  if (error.code === 'cancelled') return new ApiError('profile_cancelled');
  const affected = recordings.find(({ file }) => error.known.serverMessage?.startsWith(`${file.name}: `));
  return affected ? new ApiError(error.code, { ...error.known, detail: `${affected.file.name}: ${advice(error.code).detail}` }) : error;
}

export const enrollment = new Enrollment(makeProfile);
