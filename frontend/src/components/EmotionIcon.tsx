import {
  IconLeaf,
  IconMoodAngry,
  IconMoodHappy,
  IconMoodNervous,
  IconMoodNeutral,
  IconMoodSad,
  IconMoodSick,
  IconMoodSurprised,
} from '@tabler/icons-react';
import type { Emotion } from '../lib/api';
import { emotionColor } from '../lib/emotions';

const ICONS = {
  angry: IconMoodAngry,
  calm: IconLeaf,
  disgust: IconMoodSick,
  fearful: IconMoodNervous,
  happy: IconMoodHappy,
  neutral: IconMoodNeutral,
  sad: IconMoodSad,
  surprised: IconMoodSurprised,
} satisfies Record<Emotion, unknown>;

/** Decorative icon; always shown beside the emotion's name. */
export function EmotionIcon({ emotion, size = 20 }: { emotion: Emotion; size?: number }) {
  const Icon = ICONS[emotion];
  return <Icon aria-hidden size={size} stroke={1.7} color={emotionColor(emotion)} />;
}
