import { AnalyseView } from '../../features/analyse/AnalyseView';
import { Start } from '../../features/analyse/Start';
import type { Analyses } from '../../features/analyse/useAnalysis';
import { EmotionPicker } from '../../features/models/EmotionPicker';
import { ModelPicker } from '../../features/models/ModelPicker';
import type { EmotionChoice } from '../../features/models/useEmotions';
import type { useModels } from '../../features/models/useModels';
import { Recorder } from '../../features/recorder/Recorder';
import type { SelectedProfile } from '../../features/voices/useProfile';
import { ProfilePicker } from '../../features/voices/ProfilePicker';
import type { Limits } from '../../lib/api';
import { ResultView } from './ResultView';

interface Props {
  analysis: Analyses;
  limits?: Limits;
  models: ReturnType<typeof useModels>;
  emotions: EmotionChoice;
  voice: SelectedProfile;
  keep: boolean;
  onKeep: (keep: boolean) => void;
}

/** The Analyse view with parts of other features: recorder, model, emotion and profile pickers, and the result. */
export function AnalyseRoute({ analysis, limits, models, emotions, voice, keep, onKeep }: Props) {
  const setup = (
    <>
      <ModelPicker models={models.models} chosen={models.chosen} onChoose={models.choose} />
      <EmotionPicker choice={emotions} />
      <ProfilePicker voice={voice} />
    </>
  );
  const recorder = <Recorder limits={limits} onRecorded={analysis.analyseFile} />;
  return (
    <AnalyseView
      analysis={analysis}
      ready={models.chosen !== undefined && voice.known && emotions.valid}
      start={<Start {...{ analysis, limits, keep, onKeep, recorder, setup }} blocked={!emotions.valid} />}
      renderResult={(result) => <ResultView result={result} analysis={analysis} />}
    />
  );
}
