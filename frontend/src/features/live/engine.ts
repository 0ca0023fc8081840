/** Interface of a backend that analyses the windows of a live session, and its implementation by the server. */
import { beginLive, endLive, markLive, sendChunk, type ChunkAnswer, type LiveOptions, type Mark } from '../../lib/api';
import { encodeWav } from '../../lib/audio/wav';
import type { Window } from './windows';

export interface Engine {
  /** Starts a session and returns its id. */
  begin: (options: LiveOptions) => Promise<string>;
  /** Analyses one window. Idempotent: a repeated sequence number returns the same result and is counted once. */
  analyse: (session: string, window: Window, sampleRate: number, signal: AbortSignal) => Promise<ChunkAnswer>;
  mark: (session: string, mark: Mark) => Promise<void>;
  end: (session: string) => Promise<void>;
}

export const serverEngine: Engine = {
  begin: async (options) => (await beginLive(options)).id,
  analyse: (session, { sequence, start, samples }, sampleRate, signal) =>
    sendChunk(session, sequence, Number(start.toFixed(3)), encodeWav([samples], sampleRate), signal),
  mark: markLive,
  end: endLive,
};
