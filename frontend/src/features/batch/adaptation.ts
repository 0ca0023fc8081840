/** Adapts a batch to its speakers: groups the files, and makes a temporary speaker profile from each group. */
import { asApiError, tooLarge, togetherTooLarge, type Limits } from '../../lib/api';
import { words } from '../../lib/i18n/language';
import { whileBusy } from './busy';

/** Whether the files of one folder, or all files, are of one speaker; with `off`, each file is analysed by itself. */
export type Adaptation = 'folder' | 'all' | 'off';

export interface ProfileRequests {
  /** Creates a speaker profile; `onSent` is called once the server may have received all recordings. */
  make: (name: string, files: File[], signal: AbortSignal, onSent: () => void) => Promise<unknown>;
  remove: (name: string) => Promise<void>;
}

export const MOST_RECORDINGS = 20; // in one profile; the server accepts no more
export const FEWEST_RECORDINGS = 2; // a single short recording says too little about its speaker
const TRIES = 6;
const NAME_BYTES = 4;

/** The initial choice for files with these paths. */
export function suggestedAdaptation(paths: readonly string[]): Adaptation {
  return paths.length >= FEWEST_RECORDINGS && paths.some((path) => path.includes('/')) ? 'folder' : 'off';
}

/** The group of a file: the path of its folder, or '' for all files; null if it is analysed by itself. */
export function groupOf(path: string, adaptation: Adaptation): string | null {
  if (adaptation === 'all') return '';
  const end = path.lastIndexOf('/');
  return adaptation === 'folder' && end > 0 ? path.slice(0, end) : null;
}

/** Up to `most` of the items, spread evenly over them. */
export function spread<Item>(items: readonly Item[], most: number): Item[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]!);
}

/** A speaker profile that exists on the server only while the files of its speaker are analysed. */
export class TemporaryProfile {
  readonly name = words().batch.adapt.profile(randomHex());
  private readonly controller = new AbortController();
  /** Whether the server may have it. */
  private exists = false;
  private made = Promise.resolve();

  constructor(private readonly requests: ProfileRequests) {}

  /** Creates it from some of the files; leaves out those that the server refuses, and takes fewer if they are too long together. */
  make(files: readonly File[], limits?: Limits): Promise<void> {
    this.made = this.create(files, limits);
    return this.made;
  }

  /** Deletes it, or stops its creation. */
  async discard(): Promise<void> {
    if (!this.exists) this.controller.abort();
    await this.made.catch(() => {}); // the server may still create it
    if (this.exists) await whileBusy(() => this.requests.remove(this.name));
    this.exists = false;
  }

  /** Deletes it without waiting for anything, because the page is being closed. */
  abandon(): void {
    if (this.exists) void this.requests.remove(this.name).catch(() => {});
  }

  private async create(files: readonly File[], limits?: Limits): Promise<void> {
    let usable = files.filter((file) => !limits || !tooLarge(file, limits));
    let most = MOST_RECORDINGS;
    for (let tries = 1; ; tries += 1) {
      const chosen = choose(usable, most, limits);
      try {
        await whileBusy(() => this.send(chosen), this.controller.signal);
        return;
      } catch (thrown) {
        const error = asApiError(thrown);
        const refused = chosen.filter(({ name }) => error.known.serverMessage?.startsWith(`${name}: `));
        usable = usable.filter((file) => !refused.includes(file));
        if (!refused.length) most = error.code === 'audio_too_long' ? Math.floor(chosen.length / 2) : 0;
        if (tries === TRIES || Math.min(usable.length, most) < FEWEST_RECORDINGS) throw error;
      }
    }
  }

  private async send(files: File[]): Promise<void> {
    try {
      await this.requests.make(this.name, files, this.controller.signal, () => (this.exists = true));
      this.exists = true;
    } catch (thrown) {
      const { status } = asApiError(thrown);
      if ((status >= 400 && status < 500) || status === 503) this.exists = false; // refused
      throw thrown;
    }
  }
}

/** Some of the files, spread evenly, that fit into one request. */
function choose(files: readonly File[], most: number, limits?: Limits): File[] {
  for (let count = Math.min(most, files.length); ; count -= 1) {
    const chosen = spread(files, count);
    if (count <= 1 || !limits || !togetherTooLarge(chosen, limits)) return chosen;
  }
}

function randomHex(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(NAME_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
