import { useMutation } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import {
  analyse,
  ApiError,
  asApiError,
  fetchSample,
  fetchSession,
  tooLarge,
  profileRefused,
  type Analysis,
  type Emotion,
  type Limits,
  type Mark,
  type Sample,
  type Session,
} from '../../lib/api';
import { navigate } from '../../lib/router';

/** An analysis and what is known about its recording. */
export interface AnalysisResult {
  analysis: Analysis;
  /** The audio, if this browser has it. */
  file?: File;
  /** For a sample: its file name without extension, and the emotion intended by the actor. */
  sample?: { name: string; intended: Emotion };
  /** From request to response, ms; undefined for a stored session. */
  milliseconds?: number;
  /** Name of the speaker profile that was used. */
  speaker?: string;
  session?: Session;
  marks: Mark[];
}

export type Step =
  | { phase: 'choosing' }
  | { phase: 'sending'; name: string; share: number }
  | { phase: 'failed'; error: ApiError }
  | { phase: 'done'; result: AnalysisResult };

/** What to show: a recording or a sample to analyse, or a stored session. */
type Source =
  | { file: File; keep: boolean }
  | { sample: Sample }
  /** With its audio, if this browser has it. */
  | { session: string; audio?: File };

/** Everything needed to run, or retry, an analysis. */
interface Job {
  /** Address of the result, so that the browser's back and forward buttons work. */
  address: string;
  name: string;
  source: Source;
  model?: string;
  /** Emotions to choose the answer from; undefined for all. */
  emotions?: Emotion[];
  speaker?: string;
}

interface Run extends Job {
  signal: AbortSignal;
}

interface Settings {
  limits?: Limits;
  model?: string;
  emotions?: Emotion[];
  speaker?: string;
  /** Whether to store the result as a session. */
  keep: boolean;
}

export function sessionAddress(id: string): string {
  return `/?session=${encodeURIComponent(id)}`;
}

/** State of the current analysis. Holds the recording until another is chosen, so that a failed request can be retried. */
export function useAnalysis({ limits, model, emotions, speaker, keep }: Settings) {
  const [run, setRun] = useState<Run>();
  const [share, setShare] = useState(0);
  const [stored, setStored] = useState<{ result: AnalysisResult; session: string }>();
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
    mutationFn: (one: Run) => execute(one, { limits, onProgress: (sent) => one.signal.aborted || setShare(sent) }),
    gcTime: 0, // releases recordings that are no longer shown
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

  const result = useMemo(
    () => (data && stored?.result === data ? { ...data, analysis: { ...data.analysis, session: stored.session } } : data),
    [data, stored],
  );
  const error = thrown && asApiError(thrown);

  let step: Step = { phase: 'choosing' };
  if (run && (variables !== run || isPending)) step = { phase: 'sending', name: run.name, share };
  else if (run && error) step = { phase: 'failed', error };
  else if (run && result) step = { phase: 'done', result };

  return {
    step,
    /** The address at which the step is shown. */
    address: run?.address,
    analyseFile: useCallback(
      (file: File) => begin({ address: '/?recording', name: file.name, source: { file, keep }, model, emotions, speaker }),
      [begin, keep, model, emotions, speaker],
    ),
    analyseSample: useCallback(
      (sample: Sample) => begin({ address: sampleAddress(sample), name: sample.file, source: { sample }, model, emotions, speaker }),
      [begin, model, emotions, speaker],
    ),
    /** Fetches and shows a stored session; reopening it keeps the audio held for it. */
    openSession: (session: string, audio?: File) => {
      const known = run && 'session' in run.source && run.source.session === session ? run.source.audio : undefined;
      begin({ address: sessionAddress(session), name: '', source: { session, audio: audio ?? known } });
    },
    retry: () => run && begin({ ...run, speaker: error && profileRefused(error) ? undefined : run.speaker }),
    cancel: () => controller.current?.abort(),
    reset: () => {
      controller.current?.abort();
      setRun(undefined);
      reset();
      navigate('/');
    },
    /** Stores the current result by analysing the recording again; returns the session's id. */
    storeResult: async (): Promise<string> => {
      if (!data?.file) throw new ApiError('not_found');
      const { model: name, emotions: among } = data.analysis.prediction;
      const again = { model: name, emotions: among.length ? among : undefined, speaker: data.speaker, keep: true };
      const session = (await analyse(data.file, again)).session!;
      setStored({ result: data, session });
      return session;
    },
  };
}

export type Analyses = ReturnType<typeof useAnalysis>;

interface UploadContext {
  limits?: Limits;
  onProgress: (share: number) => void;
}

async function execute({ source, signal, ...job }: Run, context: UploadContext): Promise<AnalysisResult> {
  if ('session' in source) {
    const session = await fetchSession(source.session, signal);
    const analysis = { ...session, session: session.id };
    return { analysis, session, speaker: session.speaker ?? undefined, file: source.audio, marks: session.marks };
  }
  if ('file' in source) return uploadFile(source.file, { ...job, ...source, signal }, context);
  const { sample } = source;
  const result = await uploadFile(await fetchSample(sample), { ...job, keep: false, signal }, context);
  return { ...result, sample: { name: sampleName(sample), intended: sample.intended } };
}

interface UploadOptions {
  model?: string;
  emotions?: Emotion[];
  speaker?: string;
  keep: boolean;
  signal: AbortSignal;
}

async function uploadFile(
  file: File,
  { model, emotions, speaker, keep, signal }: UploadOptions,
  { limits, onProgress }: UploadContext,
): Promise<AnalysisResult> {
  const refusal = limits && tooLarge(file, limits);
  if (refusal) throw refusal;
  const began = performance.now();
  const analysis = await analyse(file, { model, emotions, speaker, keep, signal, onProgress });
  return { analysis, file, milliseconds: performance.now() - began, speaker, marks: [] };
}

function sampleName({ file }: Sample): string {
  return file.replace(/\.\w+$/, '');
}

function sampleAddress(sample: Sample): string {
  return `/?sample=${encodeURIComponent(sampleName(sample))}`;
}
