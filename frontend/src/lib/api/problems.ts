/** Error messages in the page's language: what happened, why, and what to do. The server's own message is English only. */
import { words } from '../i18n/language';
import type { ApiError } from './transport';

export interface Advice {
  title: string;
  /** The cause. */
  detail: string;
  todo: string;
  /** Whether retrying with the same recording can succeed. */
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
  'emotions_invalid',
  'not_found',
  'session_unknown',
  'session_ended',
  'chunk_conflict',
  'file_ambiguous',
  'recordings_too_large',
  'profile_name',
  'profile_empty',
]);

/** The message for an error. A detail set by the page takes precedence over the code's general one. */
export function explain({ code, known }: ApiError): Advice {
  const general = advice(code);
  return { ...general, detail: known.detail ?? general.detail };
}

export function advice(code: string): Advice {
  const known: Record<string, Omit<Advice, 'retry'>> = words().problems;
  return { ...(known[code] ?? words().problems.unknown), retry: !FINAL.has(code) };
}
