import { useMemo, useState } from 'react';
import type { Emotion, Model } from '../../lib/api';
import { EMOTIONS } from '../../lib/emotions';

const FEWEST = 2;

export interface EmotionChoice {
  /** The emotions of the model. */
  available: Emotion[];
  /** The chosen ones; empty for all. */
  picked: Emotion[];
  pick: (emotions: Emotion[]) => void;
  /** What to send with a recording; undefined for all emotions. */
  sent?: Emotion[];
  /** False while there are too few chosen emotions to analyse anything. */
  valid: boolean;
}

/** The emotions that answers are chosen from, which all views share; those that the model lacks are left out. */
export function useEmotions(model?: Model): EmotionChoice {
  const [wanted, pick] = useState<Emotion[]>([]);
  return useMemo(() => {
    const available = EMOTIONS.filter((emotion) => model?.labels.includes(emotion));
    const picked = available.filter((emotion) => wanted.includes(emotion));
    const restricts = picked.length > 0 && picked.length < available.length;
    return { available, picked, pick, sent: restricts ? picked : undefined, valid: picked.length === 0 || picked.length >= FEWEST };
  }, [model, wanted]);
}
