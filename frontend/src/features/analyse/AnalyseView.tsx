import { Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { ServerProblem } from '../../components/Problem';
import { DropZone } from '../../components/DropZone';
import { Samples } from './Samples';
import { ModelPicker } from '../models/ModelPicker';
import { Recorder } from '../recorder/Recorder';
import type { Voice } from '../voices/useVoice';
import { VoicePicker } from '../voices/VoicePicker';
import { samplesQuery, type Limits } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { navigate, usePlace } from '../../lib/router';
import { AnswerView } from '../../app/routes/AnswerView';
import { Sending } from './Sending';
import { sessionAddress, type Analyses } from './useAnalysis';
import type { useModels } from '../models/useModels';

interface Props {
  analysis: Analyses;
  limits?: Limits;
  models: ReturnType<typeof useModels>;
  voice: Voice;
  keep: boolean;
  onKeep: (keep: boolean) => void;
}

/** One recording: choose it, wait for it, look at its answer. */
export function AnalyseView(props: Props) {
  const { analysis } = props;
  const { problem } = useWords();
  const { path, query } = usePlace();
  const asked = query.size > 0 ? `${path}?${query}`.replace(/=$/, '') : path;
  useAddress(props);
  const { step } = analysis;
  if (asked === '/' || asked !== analysis.address || step.phase === 'choosing') return <Start {...props} />;
  if (step.phase === 'sending') return <Sending name={step.name} share={step.share} onCancel={analysis.cancel} />;
  if (step.phase === 'done') return <AnswerView answer={step.answer} analysis={analysis} />;
  return (
    <div className="card">
      <ServerProblem error={step.error} onRetry={() => void analysis.retry()} onDismiss={analysis.reset} dismissLabel={problem.other} />
    </div>
  );
}

/** Does what the address asks for: a link leads to a sample or a session; a private recording has no link. */
function useAddress({ analysis, models, voice }: Props) {
  const { query } = usePlace();
  const { data: samples } = useQuery(samplesQuery);
  const { address, step, analyseSample, openSession } = analysis;
  const [sample, session, recording] = ['sample', 'session', 'recording'].map((name) => query.get(name));
  const ready = models.chosen !== undefined && voice.known;
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

function Start({ analysis, limits, models, voice, keep, onKeep }: Props) {
  const { start } = useWords();
  return (
    <>
      <div className="intro">
        <h2>{start.title}</h2>
        <p>{start.subtitle}</p>
      </div>
      <section className="card" aria-label={start.choose}>
        <div className="doors">
          <Recorder limits={limits} onRecorded={analysis.analyseFile} />
          <DropZone limits={limits} onFiles={([file]) => file && analysis.analyseFile(file)} />
        </div>
        <Samples onSample={analysis.analyseSample} />
        <Switch mt="lg" size="sm" checked={keep} label={start.keep} onChange={({ currentTarget }) => onKeep(currentTarget.checked)} />
      </section>
      <ModelPicker models={models.models} chosen={models.chosen} onChoose={models.choose} />
      <VoicePicker voice={voice} />
    </>
  );
}
