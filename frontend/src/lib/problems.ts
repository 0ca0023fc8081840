/** What went wrong, in words: a title and what to do. The server's own sentence says what came and what was expected. */

export interface Advice {
  title: string;
  todo: string;
  /** Whether sending the same recording again can help. */
  retry: boolean;
}

const ADVICE: Record<string, Advice> = {
  network: {
    title: 'The server cannot be reached',
    todo: 'Check that it is still running (python3 -m backend), then try again. Your recording is still here.',
    retry: true,
  },
  cancelled: { title: 'Stopped', todo: 'Nothing was kept on the server. Try again whenever you like.', retry: true },
  server_answer: {
    title: 'The server gave an unexpected answer',
    todo: 'Try again. If something stands between you and the server, such as a proxy, it may have limits of its own.',
    retry: true,
  },
  body_too_large: {
    title: 'The file is too large',
    todo: 'Cut out the part you are interested in, or save it as MP3, FLAC or Opus.',
    retry: false,
  },
  audio_empty: { title: 'The recording is empty', todo: 'Choose another file, or record again.', retry: false },
  audio_unsupported: {
    title: 'This is not a recording we can read',
    todo: 'Choose a WAV, FLAC, MP3, OGG, M4A, WebM or AIFF file. What counts is the content, not the name.',
    retry: false,
  },
  audio_unreadable: {
    title: 'The recording is damaged',
    todo: 'Export or download it again, or choose another one.',
    retry: false,
  },
  audio_too_short: { title: 'The recording is too short', todo: 'Say a sentence or two and try again.', retry: false },
  audio_too_long: { title: 'The recording is too long', todo: 'Cut it into parts and send them one by one.', retry: false },
  audio_not_finite: { title: 'The recording is damaged', todo: 'Export it again as 16-bit WAV.', retry: false },
  audio_sample_rate: {
    title: 'The sampling rate is not supported',
    todo: 'Resample the recording, for instance to 16 or 48 kHz.',
    retry: false,
  },
  file_missing: { title: 'No recording was sent', todo: 'Choose the file again.', retry: false },
  model_unknown: { title: 'The model is gone', todo: 'Reload the page and choose another model.', retry: false },
  not_ready: { title: 'The model is still loading', todo: 'Give it a few seconds, then try again.', retry: true },
  internal_error: {
    title: 'The server made a mistake',
    todo: 'Try again. If it happens again, report it with the request id below.',
    retry: true,
  },
};

const UNKNOWN: Advice = { title: 'That did not work', todo: 'Try again, or choose another recording.', retry: true };

export function advice(code: string): Advice {
  return ADVICE[code] ?? UNKNOWN;
}
