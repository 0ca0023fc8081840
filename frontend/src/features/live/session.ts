/** One live session: microphone -> windows -> outbox -> engine -> history. Whatever happens, the device is given back. */
import { asApiError, type ApiError, type ChunkAnswer, type Mark } from '../../lib/api';
import type { Engine } from '../../lib/engine';
import { History } from '../../lib/history';
import { Microphone, MicrophoneError, type Refusal } from '../../lib/microphone';
import { Outbox } from '../../lib/outbox';
import { Windows, type Window } from '../../lib/windows';

export type Phase = 'idle' | 'opening' | 'listening' | 'paused' | 'ending' | 'ended';

export interface Snapshot {
  phase: Phase;
  refusal: Refusal | null;
  error: ApiError | null;
  /** Loudest magnitude of the last block, 0 to 1. */
  level: number;
  /** s of sound that was heard. */
  seconds: number;
  latest: ChunkAnswer | undefined;
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

export class LiveSession {
  private id = '';
  private microphone: Microphone | null = null;
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
      const listener = { onBlock: this.hear, onLost: this.lose };
      const microphone = await Microphone.open(null, listener, this.asked.keepAudio);
      if (this.released) return microphone.close();
      this.microphone = microphone;
      this.id = await this.engine.begin({ model: this.asked.model, title: this.asked.title, speaker: this.asked.speaker });
      if (this.released) {
        microphone.close();
        return await this.engine.end(this.id);
      }
      this.windows = new Windows(microphone.sampleRate, this.post);
      this.change({ phase: this.now.refusal ? 'paused' : 'listening' });
    } catch (thrown) {
      this.microphone?.close();
      if (thrown instanceof MicrophoneError) this.change({ phase: 'idle', refusal: thrown.reason });
      else this.change({ phase: 'idle', error: asApiError(thrown) });
    }
  }

  pause(): void {
    if (this.now.phase !== 'listening') return;
    this.change({ phase: 'paused', level: 0 }); // first, as the rest of the sound may be one window too many
    this.windows?.cut();
  }

  /** The device went away: what it heard is still here, but it hears no more. */
  private readonly lose = (): void => {
    this.pause();
    if (this.now.phase === 'paused' || this.now.phase === 'opening') this.change({ refusal: 'lost' });
  };

  resume(): void {
    if (this.now.phase !== 'paused' || this.now.refusal || this.outbox.size >= MOST_WAITING) return;
    this.change({ phase: 'listening', full: false });
  }

  /** Remembers this moment. */
  mark(note: string): void {
    const mark = { at: Number(this.now.seconds.toFixed(2)), note };
    this.change({ marks: [...this.now.marks, mark] });
    this.outbox.add({ send: () => this.engine.mark(this.id, mark), onRefused: (error) => this.change({ error }) });
  }

  /** Gives the device back, waits until every window is answered, and ends the session. */
  async end(): Promise<Ended | null> {
    if (this.now.phase !== 'listening' && this.now.phase !== 'paused') return null;
    this.pause();
    this.change({ phase: 'ending' });
    const file = await this.microphone?.stop();
    await this.outbox.drained();
    try {
      await this.engine.end(this.id);
      this.change({ phase: 'ended' });
      return { id: this.id, file: this.asked.keepAudio ? file : undefined };
    } catch (thrown) {
      this.change({ phase: 'paused', error: asApiError(thrown) });
      return null;
    }
  }

  /** The view is gone: what was heard is still sent, and the session ended. */
  release(): void {
    this.released = true;
    this.listeners.clear();
    if (this.id) void this.end();
    else this.microphone?.close();
  }

  private readonly hear = (level: number, _: number, samples: Float32Array): void => {
    if (this.now.phase !== 'listening' || !this.windows || !this.microphone) return;
    this.windows.push(samples);
    this.change({ level, seconds: this.now.seconds + samples.length / this.microphone.sampleRate });
  };

  private readonly post = (window: Window): void => {
    const { sampleRate } = this.microphone!;
    this.outbox.add({
      send: async (signal) => {
        this.now.history.add(await this.engine.hear(this.id, window, sampleRate, signal));
        this.change({ latest: this.now.history.latest });
      },
      onRefused: (error) => this.change({ error }),
    });
    if (this.outbox.size < MOST_WAITING || this.now.phase !== 'listening') return;
    this.change({ full: true });
    this.pause();
  };

  private change(part: Partial<Snapshot>): void {
    this.now = { ...this.now, ...part, waiting: this.outbox?.size ?? 0, trouble: this.outbox?.trouble ?? null };
    this.listeners.forEach((listener) => listener());
  }
}
