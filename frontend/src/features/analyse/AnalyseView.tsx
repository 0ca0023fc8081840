import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, type ReactNode } from 'react';
import layout from '../../components/layout.module.css';
import { ServerProblem } from '../../components/Problem';
import { samplesQuery } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { navigate, usePlace } from '../../lib/router';
import { Sending } from './Sending';
import { sessionAddress, type Analyses, type AnalysisResult } from './useAnalysis';

interface Props {
  analysis: Analyses;
  /** Whether the selected model and speaker profile are loaded. */
  ready: boolean;
  /** Shown while no recording is chosen. */
  start: ReactNode;
  renderResult: (result: AnalysisResult) => ReactNode;
}

/** Analysis of one recording: choosing it, progress, and the result or an error. */
export function AnalyseView({ analysis, ready, start, renderResult }: Props) {
  const { problem } = useWords();
  const { path, query } = usePlace();
  const address = query.size > 0 ? `${path}?${query}`.replace(/=$/, '') : path;
  useAddress(analysis, ready);
  const { step } = analysis;
  if (address === '/' || address !== analysis.address || step.phase === 'choosing') return start;
  if (step.phase === 'sending') return <Sending name={step.name} share={step.share} onCancel={analysis.cancel} />;
  if (step.phase === 'done') return renderResult(step.result);
  return (
    <div className={layout.card}>
      <ServerProblem error={step.error} onRetry={analysis.retry} onDismiss={analysis.reset} dismissLabel={problem.other} />
    </div>
  );
}

/** Opens the sample or session in the address. A user's recording cannot be linked to; its address leads back to the start. */
function useAddress({ address, step, analyseSample, openSession }: Analyses, ready: boolean) {
  const { query } = usePlace();
  const { data: samples } = useQuery(samplesQuery);
  const [sample, session, recording] = ['sample', 'session', 'recording'].map((name) => query.get(name));
  // A session is fetched again whenever its address is visited, because it may have been renamed or deleted.
  const open = useEffectEvent((id: string) => {
    if (address !== sessionAddress(id) || step.phase !== 'sending') openSession(id);
  });
  useEffect(() => {
    if (session != null) open(session);
  }, [session]);
  useEffect(() => {
    if (recording != null && address !== '/?recording') navigate('/', { replace: true });
  }, [recording, address]);
  useEffect(() => {
    if (sample == null || address === `/?sample=${encodeURIComponent(sample)}` || !samples || !ready) return;
    const found = samples.find(({ file }) => file.replace(/\.\w+$/, '') === sample);
    if (found) analyseSample(found);
    else navigate('/', { replace: true });
  }, [sample, address, samples, ready, analyseSample]);
}
