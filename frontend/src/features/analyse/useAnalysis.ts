import { useMutation } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
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

/** Where an answer comes from: a recording or a sample that is analysed now, or a session that the server has. */
type Source =
  | { file: File; keep: boolean }
  | { sample: Sample }
  /** With the audio, where this browser kept it. */
  | { session: string; audio?: File };

/** All that an answer depends on, so that trying again asks for the same. */
interface Job {
  /** Where the page is while it shows this, so that the browser's own buttons lead back and forth. */
  address: string;
  name: string;
  source: Source;
  model?: string;
  speaker?: string;
}

interface Run extends Job {
  signal: AbortSignal;
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
  const [run, setRun] = useState<Run>();
  const [share, setShare] = useState(0);
  const [kept, setKept] = useState<{ answer: Answer; session: string }>();
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);
  const {
    mutate,
    reset,
    data,
    error: thrown,
    variables,
    isPending,
  } = useMutation({
    mutationFn: (one: Run) => answerTo(one, { limits, onProgress: (sent) => one.signal.aborted || setShare(sent) }),
    gcTime: 0, // what is no longer shown is let go of, recordings above all
  });

  const begin = useCallback(
    (job: Job) => {
      controller.current?.abort();
      controller.current = new AbortController();
      const next = { ...job, signal: controller.current.signal };
      setRun(next);
      setShare(0);
      mutate(next);
      navigate(job.address);
    },
    [mutate],
  );

  const answer = useMemo(
    () => (data && kept?.answer === data ? { ...data, analysis: { ...data.analysis, session: kept.session } } : data),
    [data, kept],
  );
  const error = thrown && asApiError(thrown);

  let step: Step = { phase: 'choosing' };
  if (run && (variables !== run || isPending)) step = { phase: 'sending', name: run.name, share };
  else if (run && error) step = { phase: 'failed', error };
  else if (run && answer) step = { phase: 'done', answer };

  return {
    step,
    /** The address that the step belongs to; elsewhere it is not shown. */
    address: run?.address,
    analyseFile: useCallback(
      (file: File) => begin({ address: '/?recording', name: file.name, source: { file, keep }, model, speaker }),
      [begin, keep, model, speaker],
    ),
    analyseSample: useCallback(
      (sample: Sample) => begin({ address: sampleAddress(sample), name: sample.file, source: { sample }, model, speaker }),
      [begin, model, speaker],
    ),
    /** Shows what the server has; the audio that this browser kept stays with its session when that is opened again. */
    openSession: (session: string, audio?: File) => {
      const known = run && 'session' in run.source && run.source.session === session ? run.source.audio : undefined;
      begin({ address: sessionAddress(session), name: '', source: { session, audio: audio ?? known } });
    },
    retry: () => run && begin({ ...run, speaker: error && voiceRefused(error) ? undefined : run.speaker }),
    cancel: () => controller.current?.abort(),
    reset: () => {
      controller.current?.abort();
      setRun(undefined);
      reset();
      navigate('/');
    },
    /** Has the server keep the answer that is shown, by asking it once more; gives the session's id. */
    keepAnswer: async (): Promise<string> => {
      if (!data?.file) throw new ApiError('not_found');
      const again = { model: data.analysis.prediction.model, speaker: data.speaker, keep: true };
      const session = (await analyse(data.file, again)).session!;
      setKept({ answer: data, session });
      return session;
    },
  };
}

export type Analyses = ReturnType<typeof useAnalysis>;

interface Ways {
  limits?: Limits;
  onProgress: (share: number) => void;
}

async function answerTo({ source, signal, ...job }: Run, ways: Ways): Promise<Answer> {
  if ('session' in source) {
    const session = await fetchSession(source.session, signal);
    const analysis = { ...session, session: session.id };
    return { analysis, session, speaker: session.speaker ?? undefined, file: source.audio, marks: session.marks };
  }
  if ('file' in source) return answerAbout(source.file, { ...job, ...source, signal }, ways);
  const { sample } = source;
  const answer = await answerAbout(await fetchSample(sample), { ...job, keep: false, signal }, ways);
  return { ...answer, sample: { name: sampleName(sample), intended: sample.intended } };
}

interface About {
  model?: string;
  speaker?: string;
  keep: boolean;
  signal: AbortSignal;
}

async function answerAbout(file: File, { model, speaker, keep, signal }: About, { limits, onProgress }: Ways): Promise<Answer> {
  const refusal = limits && tooLarge(file, limits);
  if (refusal) throw refusal;
  const began = performance.now();
  const analysis = await analyse(file, { model, speaker, keep, signal, onProgress });
  return { analysis, file, milliseconds: performance.now() - began, speaker, marks: [] };
}

function sampleName({ file }: Sample): string {
  return file.replace(/\.\w+$/, '');
}

function sampleAddress(sample: Sample): string {
  return `/?sample=${encodeURIComponent(sampleName(sample))}`;
}
