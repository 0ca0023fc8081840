import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, type ReactNode } from 'react';
import layout from '../../components/layout.module.css';
import { ServerProblem } from '../../components/Problem';
import { samplesQuery } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { navigate, usePlace } from '../../lib/router';
import { Sending } from './Sending';
import { sessionAddress, type Analyses, type Answer } from './useAnalysis';

interface Props {
  analysis: Analyses;
  /** Whether the model and the voice are known that a sample is analysed with. */
  ready: boolean;
  /** Where a recording is chosen. */
  start: ReactNode;
  /** Shows an answer. */
  renderAnswer: (answer: Answer) => ReactNode;
}

/** One recording: choose it, wait for it, look at its answer. */
export function AnalyseView({ analysis, ready, start, renderAnswer }: Props) {
  const { problem } = useWords();
  const { path, query } = usePlace();
  const asked = query.size > 0 ? `${path}?${query}`.replace(/=$/, '') : path;
  useAddress(analysis, ready);
  const { step } = analysis;
  if (asked === '/' || asked !== analysis.address || step.phase === 'choosing') return start;
  if (step.phase === 'sending') return <Sending name={step.name} share={step.share} onCancel={analysis.cancel} />;
  if (step.phase === 'done') return renderAnswer(step.answer);
  return (
    <div className={layout.card}>
      <ServerProblem error={step.error} onRetry={analysis.retry} onDismiss={analysis.reset} dismissLabel={problem.other} />
    </div>
  );
}

/** Does what the address asks for: a link leads to a sample or a session; a private recording has no link. */
function useAddress({ address, step, analyseSample, openSession }: Analyses, ready: boolean) {
  const { query } = usePlace();
  const { data: samples } = useQuery(samplesQuery);
  const [sample, session, recording] = ['sample', 'session', 'recording'].map((name) => query.get(name));
  // Whoever comes to a session sees what the server has: it may have been renamed or deleted since it was last looked at.
  const arrive = useEffectEvent((id: string) => {
    if (address !== sessionAddress(id) || step.phase !== 'sending') openSession(id);
  });
  useEffect(() => {
    if (session != null) arrive(session);
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
