/** What went wrong, in words: a title and what to do. The server's own sentence says what came and what was expected. */
import { words } from './language';

export interface Advice {
  title: string;
  todo: string;
  /** Whether sending the same recording again can help. */
  retry: boolean;
}

const FINAL = new Set([
  'body_too_large',
  'audio_empty',
  'audio_unsupported',
  'audio_unreadable',
  'audio_undecodable',
  'audio_too_short',
  'audio_too_long',
  'audio_not_finite',
  'audio_sample_rate',
  'file_missing',
  'model_unknown',
  'not_found',
  'session_unknown',
  'session_ended',
  'chunk_conflict',
  'file_ambiguous',
  'recordings_too_large',
  'profile_name',
  'profile_empty',
]);

export function advice(code: string): Advice {
  const known: Record<string, { title: string; todo: string }> = words().problems;
  return { ...(known[code] ?? words().problems.unknown), retry: !FINAL.has(code) };
}
