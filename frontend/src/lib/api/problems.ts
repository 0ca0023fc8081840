/** What went wrong, in the words of the page: what, why, and what to do. The server's own sentence is English. */
import { words } from '../i18n/language';
import type { ApiError } from './transport';

export interface Advice {
  title: string;
  /** Why. */
  detail: string;
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

/** An error in words; what the page itself knows of it says more than its code. */
export function explain({ code, known }: ApiError): Advice {
  const general = advice(code);
  return { ...general, detail: known.detail ?? general.detail };
}

export function advice(code: string): Advice {
  const known: Record<string, Omit<Advice, 'retry'>> = words().problems;
  return { ...(known[code] ?? words().problems.unknown), retry: !FINAL.has(code) };
}
