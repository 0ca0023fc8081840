import { useCallback, useEffect, useRef, useState } from 'react';
import {
  analyse,
  ApiError,
  asApiError,
  fetchSample,
  fetchSession,
  tooLarge,
  voiceRefused,
  type Analysis,
  type Emotion,
  type Limits,
  type Mark,
  type Sample,
  type Session,
} from '../../lib/api';
import { navigate } from '../../lib/router';

/** What is shown: an answer, and the recording where this browser has it. */
export interface Answer {
  analysis: Analysis;
  file?: File;
  /** Of a sample: its file's name without the ending, and what the actor meant. */
  sample?: { name: string; intended: Emotion };
  /** From sending to the answer, ms; unknown for what was kept. */
  milliseconds?: number;
  /** Name of the voice that the model was calibrated to. */
  speaker?: string;
  session?: Session;
  marks: Mark[];
}

export type Step =
  | { phase: 'choosing' }
  | { phase: 'sending'; name: string; share: number }
  | { phase: 'failed'; error: ApiError }
  | { phase: 'done'; answer: Answer };

interface Call {
  signal: AbortSignal;
  onProgress: (share: number) => void;
  speaker?: string;
}

interface Job {
  /** Where the page is while it shows this, so that the browser's own buttons lead back and forth. */
  address: string;
  name: string;
  speaker?: string;
  /** The audio of a session, where this browser kept it. */
  audio?: File;
  run: (call: Call) => Promise<Answer>;
}

interface Wanted {
  limits?: Limits;
  model?: string;
  speaker?: string;
  /** Whether the server keeps the answer as a session. */
  keep: boolean;
}

export function sessionAddress(id: string): string {
  return `/?session=${encodeURIComponent(id)}`;
}

/** From a chosen recording to its answer. The recording is kept until another is chosen, so that a failure loses nothing. */
export function useAnalysis({ limits, model, speaker, keep }: Wanted) {
  const [step, setStep] = useState<Step>({ phase: 'choosing' });
  const [address, setAddress] = useState<string>();
  const job = useRef<Job | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const run = useCallback(async () => {
    const { current } = job;
    if (!current) return;
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setStep({ phase: 'sending', name: current.name, share: 0 });
    const onProgress = (share: number) => running.current === mine && setStep({ phase: 'sending', name: current.name, share });
    try {
      const answer = await current.run({ signal: mine.signal, onProgress, speaker: current.speaker });
      if (running.current === mine) setStep({ phase: 'done', answer });
    } catch (thrown) {
      const error = asApiError(thrown);
      if (voiceRefused(error)) current.speaker = undefined; // so that trying again goes without it
      if (running.current === mine) setStep({ phase: 'failed', error });
    }
  }, []);

  const begin = useCallback(
    (next: Job) => {
      job.current = next;
      setAddress(next.address);
      void run();
      navigate(next.address);
    },
    [run],
  );

  const ask = useCallback(
    async (file: File, call: Call, kept = keep): Promise<Answer> => {
      const refusal = limits && tooLarge(file, limits);
      if (refusal) throw refusal;
      const began = performance.now();
      const analysis = await analyse(file, { model, keep: kept, ...call });
      return { analysis, file, milliseconds: performance.now() - began, speaker: call.speaker, marks: [] };
    },
    [limits, model, keep],
  );

  const analyseFile = useCallback(
    (file: File, kept?: boolean) =>
      begin({ address: '/?recording', name: file.name, speaker, run: (call) => ask(file, call, kept) }),
    [begin, ask, speaker],
  );

  const analyseSample = useCallback(
    (sample: Sample) => {
      const name = sample.file.replace(/\.\w+$/, '');
      begin({
        address: `/?sample=${encodeURIComponent(name)}`,
        name: sample.file,
        speaker,
        run: async (call) => ({
          ...(await ask(await fetchSample(sample), call, false)),
          sample: { name, intended: sample.intended },
        }),
      });
    },
    [begin, ask, speaker],
  );

  /** Shows what the server has; the audio that this browser kept stays with its session when that is opened again. */
  const openSession = useCallback(
    (id: string, kept?: File) => {
      const place = sessionAddress(id);
      const audio = kept ?? (job.current?.address === place ? job.current.audio : undefined);
      begin({
        address: place,
        name: '',
        audio,
        run: async ({ signal }) => {
          const session = await fetchSession(id, signal);
          return { analysis: { ...session, session: id }, session, speaker: session.speaker ?? undefined, file: audio, marks: session.marks };
        },
      });
    },
    [begin],
  );

  /** Has the server keep the answer that is shown, by asking it once more; gives the session's id. */
  const keepAnswer = useCallback(async (): Promise<string> => {
    if (step.phase !== 'done' || !step.answer.file) throw new ApiError('not_found');
    const mine = running.current;
    const { file, analysis, speaker: heard } = step.answer;
    const { session } = await analyse(file, { model: analysis.prediction.model, speaker: heard, keep: true });
    if (running.current === mine) setStep({ phase: 'done', answer: { ...step.answer, analysis: { ...analysis, session } } });
    return session!;
  }, [step]);

  return {
    step,
    keepAnswer,
    /** The address that the step belongs to; elsewhere it is not shown. */
    address,
    analyseFile,
    analyseSample,
    openSession,
    retry: run,
    cancel: useCallback(() => running.current?.abort(), []),
    reset: useCallback(() => {
      running.current?.abort();
      running.current = null;
      job.current = null;
      setStep({ phase: 'choosing' });
      setAddress(undefined);
      navigate('/');
    }, []),
  };
}

export type Analyses = ReturnType<typeof useAnalysis>;
