/** One live session: microphone -> windows -> outbox -> engine -> history. Releases the microphone on every exit path. */
import { asApiError, type ApiError, type ChunkAnswer, type LiveOptions, type Mark } from '../../lib/api';
import { Microphone, MicrophoneError, type Refusal } from '../../lib/audio/microphone';
import { encodeSamples, joinWav } from '../../lib/audio/wav';
import type { Engine } from './engine';
import { History } from './history';
import { Outbox } from './outbox';
import { Windows, type Window } from './windows';

export type Phase = 'idle' | 'opening' | 'recording' | 'paused' | 'ending' | 'ended';

export interface Snapshot {
  phase: Phase;
  /** Why the microphone is unavailable. */
  refusal: Refusal | null;
  /** Last error from the server; in the phase `ended`, the error that ended the session. */
  error: ApiError | null;
  /** Peak amplitude of the last block, 0 to 1. */
  level: number;
  /** Seconds of recorded audio. */
  seconds: number;
  latest: ChunkAnswer | undefined;
  /** Time when the latest window was complete, in ms of `performance.now()`. */
  latestRecordedAt: number;
  history: History;
  marks: Mark[];
  /** Number of unanswered windows. */
  waiting: number;
  /** Why the last attempt to send failed; null once one succeeds. */
  connectionError: ApiError | null;
  /** Recording was paused because too many windows were waiting. */
  full: boolean;
}

export interface Ended {
  id: string;
  /** The recording, if the audio was to be kept. */
  file?: File;
}

const CONCURRENT_REQUESTS = 2;
/** Unanswered windows at which recording pauses: five minutes without the server, 86 MB at 48 kHz. */
export const MOST_WAITING = 300;
const RESERVE = 50; // for the last window before a pause, and for marks
/** Errors that end the session: it was deleted or ended elsewhere, or its model or speaker profile is unavailable. */
const FINAL = new Set(['session_unknown', 'session_ended', 'model_unknown', 'profile_unknown', 'profile_model']);

export class LiveSession {
  private id = '';
  /** Resolves with the session id; windows wait for it. */
  private begun = Promise.resolve('');
  private microphone: Microphone | null = null;
  /** Hz, set by the first device; later devices are resampled to it. */
  private sampleRate?: number;
  /** The recorded audio, if it is to be kept. */
  private readonly audio: DataView<ArrayBuffer>[] = [];
  private windows: Windows | null = null;
  private released = false;
  private readonly outbox = new Outbox({
    concurrency: CONCURRENT_REQUESTS,
    capacity: MOST_WAITING + RESERVE,
    onChange: () => this.change({}),
  });
  private listeners = new Set<() => void>();
  private now: Snapshot = {
    phase: 'idle',
    refusal: null,
    error: null,
    level: 0,
    seconds: 0,
    latest: undefined,
    latestRecordedAt: 0,
    history: new History(),
    marks: [],
    waiting: 0,
    connectionError: null,
    full: false,
  };

  constructor(
    private readonly engine: Engine,
    readonly options: LiveOptions & { keepAudio: boolean },
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
      const { model, title, speaker, emotions } = this.options;
      this.begun = this.engine.begin({ model, title, speaker, emotions });
      this.windows = new Windows(this.sampleRate!, this.enqueue);
      this.change({ phase: 'recording' }); // speech before the server is ready is analysed, too
      this.id = await this.begun;
      if (this.released) await this.end();
    } catch (thrown) {
      this.closeMicrophone();
      this.outbox.close();
      if (thrown instanceof MicrophoneError) this.change({ phase: 'idle', refusal: thrown.reason });
      else this.change({ phase: 'idle', error: asApiError(thrown) });
    }
  }

  pause(): void {
    if (this.now.phase !== 'recording') return;
    this.change({ phase: 'paused', level: 0 }); // first, because the last window may exceed MOST_WAITING
    this.windows?.flush();
  }

  /** Resumes recording, reopening the microphone if it was lost or closed. */
  async resume(): Promise<void> {
    if (this.now.phase !== 'paused' || this.outbox.size >= MOST_WAITING) return;
    this.change({ phase: 'opening', refusal: null });
    try {
      if (!this.microphone) await this.open();
    } catch (thrown) {
      this.change({ refusal: thrown instanceof MicrophoneError ? thrown.reason : 'failed' });
    }
    if (this.snapshot().phase !== 'opening') return this.closeMicrophone(); // the session ended in the meantime
    if (this.microphone) this.change({ phase: 'recording', error: null, full: false });
    else this.change({ phase: 'paused' });
    if (this.released) void this.end();
  }

  /** Marks the current position. */
  mark(note: string): void {
    const mark = { at: Number(this.now.seconds.toFixed(2)), note };
    this.change({ marks: [...this.now.marks, mark] });
    this.outbox.add({ send: async () => this.engine.mark(await this.begun, mark), onRefused: this.handleRefused });
  }

  /** Dismisses the error. */
  dismiss(): void {
    this.change({ error: null });
  }

  /** Closes the microphone, waits until every window is answered, and ends the session. */
  async end(): Promise<Ended | null> {
    if (this.now.phase !== 'recording' && this.now.phase !== 'paused') return null;
    this.pause();
    this.change({ phase: 'ending', refusal: null, error: null, full: false });
    this.closeMicrophone();
    await this.outbox.drained();
    if (this.snapshot().phase !== 'ending') return null; // a permanent error ended it
    try {
      await this.engine.end(this.id);
      this.change({ phase: 'ended' });
      return { id: this.id, file: this.options.keepAudio ? this.recording() : undefined };
    } catch (thrown) {
      this.change({ phase: 'paused' });
      this.handleRefused(asApiError(thrown));
      return null;
    }
  }

  /** Called when the view unmounts: sends the remaining audio and ends the session. */
  release(): void {
    this.released = true;
    this.listeners.clear();
    if (this.id) void this.end();
    else this.closeMicrophone(); // start() ends the session once it has an id
  }

  private async open(): Promise<void> {
    const listener = { onBlock: this.record, onLost: this.handleLost };
    const microphone = await Microphone.open(null, listener, { keeps: false, sampleRate: this.sampleRate });
    if (this.released) return microphone.close();
    this.microphone = microphone;
    this.sampleRate = microphone.sampleRate;
  }

  private closeMicrophone(): void {
    this.microphone?.close();
    this.microphone = null;
  }

  /** The device was disconnected: keeps the recorded audio and lets the session continue with another device. */
  private readonly handleLost = (): void => {
    if (!this.microphone) return;
    this.closeMicrophone();
    this.pause();
    this.change({ refusal: 'lost' });
  };

  private readonly record = (level: number, _: number, samples: Float32Array): void => {
    if (this.now.phase !== 'recording' || !this.windows || !this.sampleRate) return;
    if (this.options.keepAudio) this.audio.push(encodeSamples(samples));
    this.windows.push(samples);
    this.change({ level, seconds: this.now.seconds + samples.length / this.sampleRate });
  };

  private recording(): File {
    return new File([joinWav(this.audio, this.sampleRate!)], 'recording.wav', { type: 'audio/wav' });
  }

  private readonly enqueue = (window: Window): void => {
    const recordedAt = performance.now();
    this.outbox.add({
      send: async (signal) => {
        const result = await this.engine.analyse(await this.begun, window, this.sampleRate!, signal);
        const { history } = this.now;
        history.add(result);
        this.change(history.latest === result ? { latest: result, latestRecordedAt: recordedAt, error: null } : { error: null });
      },
      onRefused: this.handleRefused,
    });
    if (this.outbox.size < MOST_WAITING || this.now.phase !== 'recording') return;
    this.change({ full: true });
    this.pause();
  };

  /** Handles a permanent rejection; ends the session if the server will reject everything else, too. */
  private readonly handleRefused = (error: ApiError): void => {
    if (this.now.phase === 'ended') return;
    if (!FINAL.has(error.code)) return this.change({ error });
    this.closeMicrophone();
    this.outbox.close();
    this.change({ phase: 'ended', level: 0, refusal: null, error });
    if (error.code !== 'session_unknown') void this.engine.end(this.id).catch(() => {}); // so that the results so far are stored
  };

  private change(part: Partial<Snapshot>): void {
    this.now = { ...this.now, ...part, waiting: this.outbox?.size ?? 0, connectionError: this.outbox?.lastError ?? null };
    this.listeners.forEach((listener) => listener());
  }
}
