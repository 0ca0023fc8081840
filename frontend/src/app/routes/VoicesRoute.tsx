import { useState } from 'react';
import { DropZone } from '../../components/DropZone';
import layout from '../../components/layout.module.css';
import { ModelPicker } from '../../features/models/ModelPicker';
import { preselected, type useModels } from '../../features/models/useModels';
import { Recorder } from '../../features/recorder/Recorder';
import { CreatedProfile } from '../../features/voices/CreatedProfile';
import { Enroll } from '../../features/voices/Enroll';
import { enrollment } from '../../features/voices/enrollment';
import { Profiles } from '../../features/voices/Profiles';
import type { Limits, Profile } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';

interface Props {
  limits?: Limits;
  models: ReturnType<typeof useModels>;
  onUse: (profile: Profile) => void;
}

/** The Profiles view: creates speaker profiles from recordings, lists and deletes them. */
export function VoicesRoute({ limits, models: { models, chosen }, onUse }: Props) {
  const { voices: words } = useWords();
  const [picked, pick] = useState<string>();
  const able = models.filter(({ profiles }) => profiles);
  const model = able.find(({ name }) => name === (picked ?? chosen?.name)) ?? preselected(able, able[0]?.name ?? '');
  const sources = (
    <div className={layout.sources}>
      <Recorder limits={limits} onRecorded={enrollment.addRecorded} />
      <DropZone limits={limits} multiple onFiles={enrollment.add} />
    </div>
  );
  return (
    <>
      <div className={layout.intro}>
        <h2>{words.title}</h2>
        <p>{words.subtitle}</p>
      </div>
      <CreatedProfile onUse={onUse} />
      {model && (
        <Enroll limits={limits} model={model.name} sources={sources} setup={<ModelPicker models={able} chosen={model} onChoose={pick} />} />
      )}
      {models.length > 0 && !model && <p className={layout.card}>{words.unable}</p>}
      <Profiles models={models} onUse={onUse} />
    </>
  );
}
