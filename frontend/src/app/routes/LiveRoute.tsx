import layout from '../../components/layout.module.css';
import type { Analyses } from '../../features/analyse/useAnalysis';
import { Live } from '../../features/live/Live';
import { EmotionPicker } from '../../features/models/EmotionPicker';
import { ModelPicker } from '../../features/models/ModelPicker';
import type { EmotionChoice } from '../../features/models/useEmotions';
import type { useModels } from '../../features/models/useModels';
import type { SelectedProfile } from '../../features/voices/useProfile';
import { ProfilePicker } from '../../features/voices/ProfilePicker';
import { EMOTIONS } from '../../lib/emotions';
import { useWords } from '../../lib/i18n/language';

interface Props {
  models: ReturnType<typeof useModels>;
  emotions: EmotionChoice;
  voice: SelectedProfile;
  onOpen: Analyses['openSession'];
}

/** The Live view with the model, emotion and profile pickers. A finished session opens in Analyse. */
export function LiveRoute({ models, emotions, voice, onOpen }: Props) {
  const { live } = useWords();
  const { chosen } = models;
  return (
    <>
      <div className={layout.intro}>
        <h2>{live.title}</h2>
        <p>{live.subtitle}</p>
      </div>
      <Live
        model={chosen?.name}
        speaker={voice.speaker}
        labels={chosen?.labels ?? EMOTIONS}
        emotions={emotions.sent}
        blocked={!emotions.valid}
        onEnded={({ id, file }) => onOpen(id, file)}
        setup={
          <>
            <ModelPicker models={models.models} chosen={chosen} onChoose={models.choose} />
            <EmotionPicker choice={emotions} />
            <ProfilePicker voice={voice} />
          </>
        }
      />
    </>
  );
}
