/** A microphone that is open, and everything that has to be closed again. No echo cancellation, noise suppression or gain
 * control: they erase loudness, which carries emotion. */
import worklet from './capture-worklet.js?url';
import { encodeSamples, joinWav } from './wav';

export type Refusal = 'insecure' | 'unsupported' | 'refused' | 'none' | 'busy' | 'lost' | 'failed';

export class MicrophoneError extends Error {
  constructor(readonly reason: Refusal) {
    super(reason);
  }
}

export interface Listener {
  /** `level` is the loudest magnitude of the block, 0 to 1; `seconds` is how much was heard up to its end. */
  onBlock: (level: number, seconds: number, samples: Float32Array) => void;
  /** The device went away. */
  onLost: () => void;
}

interface Options {
  /** Whether it records; else the listener takes the blocks as they come. */
  keeps?: boolean;
  /** Hz; the system's own where omitted. */
  sampleRate?: number;
}

export class Microphone {
  private blocks: DataView<ArrayBuffer>[] = [];
  private samples = 0;

  private constructor(
    private readonly context: AudioContext,
    private readonly stream: MediaStream,
    private readonly node: AudioWorkletNode,
    private readonly keeps: boolean,
    listener: Listener,
  ) {
    node.port.onmessage = ({ data }: MessageEvent<{ samples: Float32Array; last: boolean }>) => {
      this.take(data.samples, listener);
      if (data.last) this.flushed?.();
    };
    stream.getAudioTracks()[0]?.addEventListener('ended', listener.onLost);
  }

  private flushed?: () => void;

  /** Asks for a microphone; throws a MicrophoneError. The worklet is loaded first, or the first second would be lost. */
  static async open(deviceId: string | null, listener: Listener, { keeps = true, sampleRate }: Options = {}): Promise<Microphone> {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError('insecure');
    if (!('AudioWorkletNode' in window)) throw new MicrophoneError('unsupported');
    const context = new AudioContext({ sampleRate });
    try {
      await context.audioWorklet.addModule(worklet);
      const stream = await navigator.mediaDevices.getUserMedia({ audio: constraints(deviceId) });
      await context.resume();
      const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
      context.createMediaStreamSource(stream).connect(node);
      return new Microphone(context, stream, node, keeps, listener);
    } catch (error) {
      await context.close();
      throw new MicrophoneError(reason(error));
    }
  }

  get deviceId(): string | undefined {
    return this.stream.getAudioTracks()[0]?.getSettings().deviceId;
  }

  get sampleRate(): number {
    return this.context.sampleRate;
  }

  /** Ends the recording, gives the device back and returns what was recorded; empty where nothing was kept. */
  async stop(): Promise<File> {
    await Promise.race([
      new Promise<void>((resolve) => {
        this.flushed = resolve;
        this.node.port.postMessage('flush');
      }),
      new Promise((resolve) => setTimeout(resolve, 500)), // a worklet that no longer answers must not lose the rest
    ]);
    this.close();
    return new File([joinWav(this.blocks, this.context.sampleRate)], 'recording.wav', { type: 'audio/wav' });
  }

  /** Gives the device back; safe to call twice. */
  close(): void {
    this.stream.getTracks().forEach((track) => track.stop());
    if (this.context.state !== 'closed') void this.context.close();
  }

  private take(samples: Float32Array, listener: Listener): void {
    if (this.keeps) this.blocks.push(encodeSamples(samples));
    this.samples += samples.length;
    const level = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    listener.onBlock(level, this.samples / this.context.sampleRate, samples);
  }
}

/** Microphones to choose from; names are there once one was allowed. */
export async function microphones(): Promise<MediaDeviceInfo[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId);
}

function constraints(deviceId: string | null): MediaTrackConstraints {
  return {
    deviceId: deviceId ? { exact: deviceId } : undefined,
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
  };
}

function reason(error: unknown): Refusal {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'none';
  return name === 'NotReadableError' ? 'busy' : 'failed';
}
