import { useCallback, useEffect, useRef, useState } from 'react';
import { analyse, ApiError, fetchSample, tooLarge, type Analysis, type Emotion, type Limits, type Sample } from '../lib/api';

type Step =
  | { phase: 'choosing' }
  | { phase: 'sending'; name: string; share: number }
  | { phase: 'failed'; error: ApiError }
  | { phase: 'done'; analysis: Analysis; file: File; intended?: Emotion };

interface Job {
  name: string;
  file: () => Promise<File>;
  intended?: Emotion;
}

/** From a chosen recording to its answer. The recording is kept until another is chosen, so that a failure loses nothing. */
export function useAnalysis(limits: Limits | undefined, model: string | undefined) {
  const [step, setStep] = useState<Step>({ phase: 'choosing' });
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
    try {
      const file = await current.file();
      const refusal = limits && tooLarge(file, limits);
      if (refusal) throw refusal;
      const onProgress = (share: number) => running.current === mine && setStep({ phase: 'sending', name: current.name, share });
      const analysis = await analyse(file, { model, signal: mine.signal, onProgress });
      if (running.current === mine) setStep({ phase: 'done', analysis, file, intended: current.intended });
    } catch (error) {
      if (running.current !== mine) return;
      setStep({ phase: 'failed', error: error instanceof ApiError ? error : new ApiError('unknown', String(error)) });
    }
  }, [limits, model]);

  const begin = useCallback(
    (next: Job) => {
      job.current = next;
      void run();
    },
    [run],
  );

  return {
    step,
    analyseFile: useCallback((file: File) => begin({ name: file.name, file: () => Promise.resolve(file) }), [begin]),
    analyseSample: useCallback(
      (sample: Sample) => begin({ name: sample.title.toLowerCase(), file: () => fetchSample(sample), intended: sample.intended }),
      [begin],
    ),
    retry: run,
    cancel: useCallback(() => running.current?.abort(), []),
    reset: useCallback(() => {
      running.current = null;
      job.current = null;
      setStep({ phase: 'choosing' });
    }, []),
  };
}
