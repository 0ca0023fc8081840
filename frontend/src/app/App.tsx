import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Problem } from '../components/Problem';
import { DropZone } from '../features/input/DropZone';
import { Samples } from '../features/input/Samples';
import { ModelPicker, preselected } from '../features/models/ModelPicker';
import { Notice } from '../features/notice/Notice';
import { Player } from '../features/player/Player';
import { Recorder } from '../features/recorder/Recorder';
import { Result } from '../features/result/Result';
import { limitsQuery, modelsQuery } from '../lib/api';
import { advice } from '../lib/problems';
import { Header } from './Header';
import { Sending } from './Sending';
import { useAnalysis } from './useAnalysis';

export function App() {
  const models = useQuery(modelsQuery);
  const { data: limits } = useQuery(limitsQuery);
  const [picked, setPicked] = useState<string>();
  const chosen = useMemo(() => {
    const every = models.data?.models ?? [];
    return every.find(({ name }) => name === picked) ?? preselected(every, models.data?.default ?? '');
  }, [models.data, picked]);
  const analysis = useAnalysis(limits, chosen?.name);
  const { step } = analysis;

  return (
    <>
      <Header />
      <main className="main">
        <Notice />
        {step.phase === 'choosing' && (
          <>
            <div className="intro">
              <h2>What does this voice carry?</h2>
              <p>A recording or your microphone in, an emotion with honest confidence out.</p>
            </div>
            <section className="card" aria-label="Choose a recording">
              <div className="doors">
                <Recorder limits={limits} onRecorded={analysis.analyseFile} />
                <DropZone limits={limits} onFile={analysis.analyseFile} />
              </div>
              <Samples onSample={analysis.analyseSample} />
            </section>
            <ModelPicker models={models.data?.models ?? []} chosen={chosen} onChoose={setPicked} />
          </>
        )}
        {step.phase === 'sending' && <Sending name={step.name} share={step.share} onCancel={analysis.cancel} />}
        {step.phase === 'failed' && (
          <div className="card">
            <Problem
              {...advice(step.error.code)}
              detail={step.error.message}
              requestId={step.error.code === 'internal_error' ? step.error.requestId : undefined}
              onRetry={advice(step.error.code).retry ? analysis.retry : undefined}
              onDismiss={analysis.reset}
              dismissLabel="Choose another recording"
            />
          </div>
        )}
        {step.phase === 'done' && (
          <Result
            analysis={step.analysis}
            intended={step.intended}
            player={<Player file={step.file} />}
            onAgain={analysis.reset}
          />
        )}
      </main>
      <footer className="footer">
        Runs on this machine. Audio is never stored. Trained on actors (RAVDESS, CC BY-NC-SA 4.0): not for commercial use.
      </footer>
    </>
  );
}
