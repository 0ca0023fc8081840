/** One live session: microphone -> windows -> outbox -> engine -> history. Whatever happens, the device is given back. */
import { asApiError, type ApiError, type ChunkAnswer, type Mark } from '../../lib/api';
import { Microphone, MicrophoneError, type Refusal } from '../../lib/audio/microphone';
import { encodeSamples, joinWav } from '../../lib/audio/wav';
import type { Engine } from './engine';
import { History } from './history';
import { Outbox } from './outbox';
import { Windows, type Window } from './windows';

export type Phase = 'idle' | 'opening' | 'listening' | 'paused' | 'ending' | 'ended';

export interface Snapshot {
  phase: Phase;
  /** Why there is no microphone. */
  refusal: Refusal | null;
  /** What the server refused; with it a session that has `ended` was ended by that. */
  error: ApiError | null;
  /** Loudest magnitude of the last block, 0 to 1. */
  level: number;
  /** s of sound that was heard. */
  seconds: number;
  latest: ChunkAnswer | undefined;
  /** When the end of its window was heard, ms as in `performance.now()`. */
  latestHeard: number;
  history: History;
  marks: Mark[];
  /** Windows that were not answered yet, and why not. */
  waiting: number;
  trouble: ApiError | null;
  /** So many windows waited that listening was paused. */
  full: boolean;
}

export interface Ended {
  id: string;
  /** The recording, where it was to be kept. */
  file?: File;
}

const WINDOWS_AT_ONCE = 2;
/** Five minutes without the server; at 48 kHz that is 86 MB. Listening is paused then. */
export const MOST_WAITING = 300;
const ROOM_AFTER = 50; // for the rest of the pause, and for marks
/** After these the server refuses whatever comes: someone deleted or ended the session elsewhere, or what it needs. */
const FINAL = new Set(['session_unknown', 'session_ended', 'model_unknown', 'profile_unknown', 'profile_model']);

export class LiveSession {
  private id = '';
  /** Resolves with the id; what is heard until then waits. */
  private begun = Promise.resolve('');
  private microphone: Microphone | null = null;
  /** Hz, of the first device; later ones keep to it. */
  private sampleRate?: number;
  /** What was heard, where it is to be kept. */
  private readonly sound: DataView<ArrayBuffer>[] = [];
  private windows: Windows | null = null;
  private released = false;
  private readonly outbox = new Outbox({ atOnce: WINDOWS_AT_ONCE, most: MOST_WAITING + ROOM_AFTER, onChange: () => this.change({}) });
  private listeners = new Set<() => void>();
  private now: Snapshot = {
    phase: 'idle',
    refusal: null,
    error: null,
    level: 0,
    seconds: 0,
    latest: undefined,
    latestHeard: 0,
    history: new History(),
    marks: [],
    waiting: 0,
    trouble: null,
    full: false,
  };

  constructor(
    private readonly engine: Engine,
    readonly asked: { model?: string; title?: string; speaker?: string; keepAudio: boolean },
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): Snapshot => this.now;

  async start(): Promise<void> {
    this.change({ phase: 'opening' });
    try {
      await this.open();
      if (this.released) return;
      const { model, title, speaker } = this.asked;
      this.begun = this.engine.begin({ model, title, speaker });
      this.windows = new Windows(this.sampleRate!, this.post);
      this.change({ phase: 'listening' }); // what is said while the server gets ready counts
      this.id = await this.begun;
      if (this.released) await this.end();
    } catch (thrown) {
      this.giveBack();
      this.outbox.close();
      if (thrown instanceof MicrophoneError) this.change({ phase: 'idle', refusal: thrown.reason });
      else this.change({ phase: 'idle', error: asApiError(thrown) });
    }
  }

  pause(): void {
    if (this.now.phase !== 'listening') return;
    this.change({ phase: 'paused', level: 0 }); // first, as the rest of the sound may be one window too many
    this.windows?.cut();
  }

  /** Goes on; a microphone that was lost or given back is opened anew. */
  async resume(): Promise<void> {
    if (this.now.phase !== 'paused' || this.outbox.size >= MOST_WAITING) return;
    this.change({ phase: 'opening', refusal: null });
    try {
      if (!this.microphone) await this.open();
    } catch (thrown) {
      this.change({ refusal: thrown instanceof MicrophoneError ? thrown.reason : 'failed' });
    }
    if (this.snapshot().phase !== 'opening') return this.giveBack(); // refused for good meanwhile
    if (this.microphone) this.change({ phase: 'listening', error: null, full: false });
    else this.change({ phase: 'paused' });
    if (this.released) void this.end();
  }

  /** Remembers this moment. */
  mark(note: string): void {
    const mark = { at: Number(this.now.seconds.toFixed(2)), note };
    this.change({ marks: [...this.now.marks, mark] });
    this.outbox.add({ send: async () => this.engine.mark(await this.begun, mark), onRefused: this.refuse });
  }

  /** What was refused has been read. */
  dismiss(): void {
    this.change({ error: null });
  }

  /** Gives the device back, waits until every window is answered, and ends the session. */
  async end(): Promise<Ended | null> {
    if (this.now.phase !== 'listening' && this.now.phase !== 'paused') return null;
    this.pause();
    this.change({ phase: 'ending', refusal: null, error: null, full: false });
    this.giveBack();
    await this.outbox.drained();
    if (this.snapshot().phase !== 'ending') return null; // a window was refused for good
    try {
      await this.engine.end(this.id);
      this.change({ phase: 'ended' });
      return { id: this.id, file: this.asked.keepAudio ? this.recording() : undefined };
    } catch (thrown) {
      this.change({ phase: 'paused' });
      this.refuse(asApiError(thrown));
      return null;
    }
  }

  /** The view is gone: what was heard is still sent, and the session ended. */
  release(): void {
    this.released = true;
    this.listeners.clear();
    if (this.id) void this.end();
    else this.giveBack(); // it ends as soon as it has begun
  }

  private async open(): Promise<void> {
    const listener = { onBlock: this.hear, onLost: this.lose };
    const microphone = await Microphone.open(null, listener, { keeps: false, sampleRate: this.sampleRate });
    if (this.released) return microphone.close();
    this.microphone = microphone;
    this.sampleRate = microphone.sampleRate;
  }

  private giveBack(): void {
    this.microphone?.close();
    this.microphone = null;
  }

  /** The device went away: what it heard counts, and another one can go on. */
  private readonly lose = (): void => {
    if (!this.microphone) return;
    this.giveBack();
    this.pause();
    this.change({ refusal: 'lost' });
  };

  private readonly hear = (level: number, _: number, samples: Float32Array): void => {
    if (this.now.phase !== 'listening' || !this.windows || !this.sampleRate) return;
    if (this.asked.keepAudio) this.sound.push(encodeSamples(samples));
    this.windows.push(samples);
    this.change({ level, seconds: this.now.seconds + samples.length / this.sampleRate });
  };

  private recording(): File {
    return new File([joinWav(this.sound, this.sampleRate!)], 'recording.wav', { type: 'audio/wav' });
  }

  private readonly post = (window: Window): void => {
    const heard = performance.now();
    this.outbox.add({
      send: async (signal) => {
        const answer = await this.engine.hear(await this.begun, window, this.sampleRate!, signal);
        const { history } = this.now;
        history.add(answer);
        this.change(history.latest === answer ? { latest: answer, latestHeard: heard, error: null } : { error: null });
      },
      onRefused: this.refuse,
    });
    if (this.outbox.size < MOST_WAITING || this.now.phase !== 'listening') return;
    this.change({ full: true });
    this.pause();
  };

  /** The server will never take this; where it will take nothing else either, listening ends. */
  private readonly refuse = (error: ApiError): void => {
    if (this.now.phase === 'ended') return;
    if (!FINAL.has(error.code)) return this.change({ error });
    this.giveBack();
    this.outbox.close();
    this.change({ phase: 'ended', level: 0, refusal: null, error });
    if (error.code !== 'session_unknown') void this.engine.end(this.id).catch(() => {}); // so that what it took is kept
  };

  private change(part: Partial<Snapshot>): void {
    this.now = { ...this.now, ...part, waiting: this.outbox?.size ?? 0, trouble: this.outbox?.trouble ?? null };
    this.listeners.forEach((listener) => listener());
  }
}
