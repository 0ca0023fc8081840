/** Who names the emotion of each window in a live session: the server, or whatever else keeps this contract. */
import { beginLive, endLive, markLive, sendChunk, type ChunkAnswer, type Mark } from '../../lib/api';
import { encodeWav } from '../../lib/audio/wav';
import type { Window } from './windows';

export interface Engine {
  /** Begins a session and gives its id. */
  begin: (asked: { model?: string; title?: string; speaker?: string }) => Promise<string>;
  /** Answers for one window; asked again with the same number it answers the same and counts it once. */
  hear: (session: string, window: Window, sampleRate: number, signal: AbortSignal) => Promise<ChunkAnswer>;
  mark: (session: string, mark: Mark) => Promise<void>;
  end: (session: string) => Promise<void>;
}

export const serverEngine: Engine = {
  begin: async (asked) => (await beginLive(asked)).id,
  hear: (session, { sequence, start, samples }, sampleRate, signal) =>
    sendChunk(session, sequence, Number(start.toFixed(3)), encodeWav([samples], sampleRate), signal),
  mark: markLive,
  end: endLive,
};
