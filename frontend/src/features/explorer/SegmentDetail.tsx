import { Text } from '@mantine/core';
import type WaveSurfer from 'wavesurfer.js';
import { Bars } from '../../components/Bars';
import type { Prediction } from '../../lib/api';
import { EMOTIONS } from '../../lib/emotions';
import { useWords } from '../../lib/i18n/language';
import css from './explorer.module.css';
import { probabilitiesIn, segmentAt, segmentText } from './segments';
import { useTime } from './useSound';

interface Props {
  prediction: Prediction;
  /** Index of the hovered or focused segment; -1 selects the one at the playhead. */
  index: number;
  wave: WaveSurfer | null;
}

/** Probabilities of one segment; shown only if there are several. */
export function SegmentDetail({ prediction, index, wave }: Props) {
  const { explorer } = useWords();
  const time = useTime(wave);
  const { segments } = prediction;
  const segment = segments[index >= 0 ? index : Math.max(0, segmentAt(segments, time))];
  if (!segment || segments.length < 2) return null;
  const probabilities = probabilitiesIn(prediction, segment);
  return (
    <div className={css.detail} data-testid="segment-detail">
      <Text fw={600} mb={8}>
        {segmentText(segment)}
      </Text>
      <Bars compact order={EMOTIONS.filter((emotion) => emotion in probabilities)} probabilities={probabilities} label={explorer.here} />
    </div>
  );
}
