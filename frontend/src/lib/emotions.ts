/** Names, order and colour variables of the emotions. Icons are in components/EmotionIcon, colours in app/tokens.css. */
import type { Emotion } from './api';
import { either } from './i18n/format';
import { locale, words } from './i18n/language';

export const EMOTIONS: readonly Emotion[] = ['angry', 'calm', 'disgust', 'fearful', 'happy', 'neutral', 'sad', 'surprised'];

export function emotionName(emotion: Emotion): string {
  return words().emotions[emotion];
}

/** The name as used within a sentence. */
export function emotionWord(emotion: Emotion): string {
  return emotionName(emotion).toLocaleLowerCase(locale());
}

export function emotionColor(emotion: Emotion): string {
  return `var(--emotion-${emotion})`;
}

/** Emotions with their probabilities, most likely first. */
export function ranked(probabilities: Record<string, number>): [Emotion, number][] {
  const entries = Object.entries(probabilities) as [Emotion, number][];
  return entries.sort(([, one], [, other]) => other - one);
}

/** "happy", "happy or sad", "happy, sad or angry". */
export function eitherEmotion(emotions: Emotion[]): string {
  return either(emotions.map(emotionWord));
}
