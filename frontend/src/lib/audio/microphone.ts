/** Microphone capture and recording. Echo cancellation, noise suppression and automatic gain control are off, because they
 * alter loudness, which carries emotion. */
import worklet from './capture-worklet.js?url';
import { encodeSamples, joinWav } from './wav';

export type Refusal = 'insecure' | 'unsupported' | 'refused' | 'none' | 'busy' | 'lost' | 'failed';

export class MicrophoneError extends Error {
  constructor(readonly reason: Refusal) {
    super(reason);
  }
}

export interface Listener {
  /** Called for each block with its peak magnitude, 0 to 1, and the time captured so far, s. */
  onBlock: (level: number, seconds: number, samples: Float32Array) => void;
  /** Called when the device is disconnected. */
  onLost: () => void;
}

interface Options {
  /** Whether to record; otherwise blocks only go to the listener. */
  keeps?: boolean;
  /** Hz; defaults to the system's rate. */
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

  /** Opens a microphone or throws a MicrophoneError. Loads the worklet first, so that no audio is lost at the start. */
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

  /** Stops, releases the device and returns the recording, which is empty if `keeps` is off. */
  async stop(): Promise<File> {
    await Promise.race([
      new Promise<void>((resolve) => {
        this.flushed = resolve;
        this.node.port.postMessage('flush');
      }),
      new Promise((resolve) => setTimeout(resolve, 500)), // an unresponsive worklet must not lose the recording
    ]);
    this.close();
    return new File([joinWav(this.blocks, this.context.sampleRate)], 'recording.wav', { type: 'audio/wav' });
  }

  /** Releases the device; safe to call twice. */
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

/** Available microphones; browsers reveal their names once access was granted. */
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
